/** `Idempotency-Key`: a request that is made again, by a client that heard no answer, is done once. */
import { createHash } from 'node:crypto'
import type { Context } from 'hono'
import { canonical } from '../../migration/run-identity.ts'
import type { Turn } from '../../redis/idempotency.ts'
import { callerOf } from '../caller.ts'
import { Problem } from '../problem.ts'
import type { Reached } from '../reach.ts'

const HEADER = 'idempotency-key'
const LONGEST = 255

export interface Answer {
  body: object
  location: string
}

/** Of one caller and one job. Undefined: it wants none. Throws Problem 400. */
export function keyOf(c: Context, job: string): string | undefined {
  const given = c.req.header(HEADER)
  if (given === undefined) return undefined
  if (!/^[\x21-\x7e]+$/.test(given) || given.length > LONGEST)
    throw new Problem(
      400,
      'USAGE',
      `${HEADER}: expected 1 to ${LONGEST} visible ASCII characters without spaces`,
    )
  return hash([callerOf(c).name, job, given])
}

/** Of all that is asked for: the same request has the same one. */
export const fingerprintOf = (parts: unknown): string => hash([canonical(parts)])

/**
 * `act` is called once for a key, and its answer is given to all who send it again. `turn` undefined: there is no key.
 * Throws Problem 409 while another request with the key goes on, 422 when the key was another request's.
 */
export async function once(
  { reached, key, fingerprint }: { reached: Reached; key: string | undefined; fingerprint: string },
  act: (turn: Turn | undefined) => Promise<Answer>,
): Promise<Answer & { replayed: boolean }> {
  if (key === undefined) return { ...(await act(undefined)), replayed: false }
  const begun = await reached.keys.begin(key, fingerprint)
  if (begun.state === 'differs')
    throw new Problem(422, 'KEY_REUSED', `this ${HEADER} was sent with another request`, {
      hint: 'a key is of one request: its options, its payload and its files',
    })
  if (begun.state === 'running')
    throw new Problem(409, 'KEY_RUNNING', `a request with this ${HEADER} is being done`, {
      retryAfter: Math.min(5, begun.ms / 1_000),
    })
  if (begun.state === 'answered') return { ...(JSON.parse(begun.answer) as Answer), replayed: true }
  const { turn } = begun
  try {
    const answer = await act(turn)
    await turn.finish(JSON.stringify(answer))
    return { ...answer, replayed: false }
  } catch (error) {
    // Where Redis is gone, the lease runs out by itself.
    await turn.abandon().catch(() => undefined)
    throw error
  }
}

const hash = (parts: readonly string[]): string => createHash('sha256').update(parts.join('\0')).digest('hex')
