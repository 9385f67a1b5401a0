/**
 * Requests that are made twice are done once: what was answered to a key is kept for a day and answered again.
 *
 * A key belongs to one request, told by a fingerprint. Whoever begins it has a lease, renewed while it goes on; a process
 * that dies leaves it to the next try. What it was about to do (`intent`) is written down before it is done, so that the
 * next try does the same and not something like it. Stored files that it names are in use for as long as the key is there:
 * the job of a process that died may be added by a try that comes hours later.
 */
import { randomUUID } from 'node:crypto'
import { placesIn } from '../file-ref.ts'
import type { Client } from './client.ts'
import { FileIndex } from './file-index.ts'

/** In the index of files the key stands where the id of a job does. */
const SPACE = 'runner'
const KIND = 'idempotency:'
/** Milliseconds that an answer is kept. */
const KEPT = 24 * 3_600_000
/** Milliseconds that a request which was begun may be silent. */
const LEASE = 30_000

const NOW = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)`

/** ARGV: fingerprint, owner, lease, kept. */
const BEGIN = `${NOW}
  local found = redis.call('HMGET', KEYS[1], 'print', 'until', 'answer', 'intent')
  if found[1] then
    if found[1] ~= ARGV[1] then return {'differs', ''} end
    if found[3] then return {'answered', found[3]} end
    if tonumber(found[2]) > now then return {'running', tostring(tonumber(found[2]) - now)} end
  end
  redis.call('HSET', KEYS[1], 'print', ARGV[1], 'owner', ARGV[2], 'until', now + ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return {'begun', found[4] or ''}`

/** Each of them only for the owner. ARGV: owner, and what it takes. */
const OWNED = `if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end`
const RENEW = `${OWNED} ${NOW}
  redis.call('HSET', KEYS[1], 'until', now + ARGV[2])
  return 1`
const INTEND = `${OWNED}
  redis.call('HSET', KEYS[1], 'intent', ARGV[2])
  return 1`
const FINISH = `${OWNED}
  redis.call('HSET', KEYS[1], 'answer', ARGV[2])
  redis.call('HDEL', KEYS[1], 'intent')
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 1`
/** With an intent it may have been done: then the next try has to go on with that. */
const ABANDON = `${OWNED}
  if redis.call('HEXISTS', KEYS[1], 'intent') == 0 then return redis.call('DEL', KEYS[1]) end
  redis.call('HSET', KEYS[1], 'until', 0)
  return 1`

const SCRIPTS = {
  runnerKeyBegin: BEGIN,
  runnerKeyRenew: RENEW,
  runnerKeyIntend: INTEND,
  runnerKeyFinish: FINISH,
  runnerKeyAbandon: ABANDON,
}

type Scripts = Record<keyof typeof SCRIPTS, (...args: (string | number)[]) => Promise<unknown>>

export type Begun =
  | { state: 'begun'; turn: Turn }
  /** JSON, as it was given to `finish`. */
  | { state: 'answered'; answer: string }
  /** Another request has it, for so many milliseconds at most unless it is still alive. */
  | { state: 'running'; ms: number }
  /** The key was another request's. */
  | { state: 'differs' }

/** One request that does what its key stands for. */
export interface Turn {
  /** What an earlier try was about to do, and has perhaps done; JSON. */
  readonly intent: string | undefined
  /** Before it is done. False: another try has taken over. */
  intend: (json: string) => Promise<boolean>
  finish: (answer: string) => Promise<void>
  /** It has failed. The key is free again, unless something may have been done. */
  abandon: () => Promise<void>
}

export class IdempotencyKeys {
  readonly #scripts: Scripts
  readonly #base: string
  readonly #files: FileIndex

  constructor(client: Client, prefix: string) {
    if (!('runnerKeyBegin' in client))
      for (const [name, lua] of Object.entries(SCRIPTS)) client.defineCommand(name, { numberOfKeys: 1, lua })
    this.#scripts = client as unknown as Scripts
    this.#base = `${prefix}:${SPACE}:${KIND}`
    this.#files = new FileIndex(client, prefix)
  }

  /** `key`: of one caller and one route. `fingerprint`: of all that the request asks for. */
  async begin(key: string, fingerprint: string, lease = LEASE): Promise<Begun> {
    const at = this.#base + key
    const owner = randomUUID()
    const answer = await this.#scripts.runnerKeyBegin(at, fingerprint, owner, lease, KEPT)
    const [state, text] = answer as [Begun['state'], string]
    if (state === 'answered') return { state, answer: text }
    if (state === 'running') return { state, ms: Number(text) }
    if (state === 'differs') return { state }
    return { state, turn: this.#turn(at, owner, text === '' ? undefined : text, lease) }
  }

  #turn(at: string, owner: string, intent: string | undefined, lease: number): Turn {
    const scripts = this.#scripts
    const renewal = setInterval(() => {
      // One that fails is made up for by the next.
      scripts.runnerKeyRenew(at, owner, lease).catch(() => undefined)
    }, lease / 3).unref()
    const files = this.#files
    const id = at.slice(this.#base.length - KIND.length)
    let intended = intent ?? ''
    return {
      intent,
      async intend(json) {
        intended = json
        await files.add(placesIn(json).map(place => ({ place, queue: SPACE, id })))
        return (await scripts.runnerKeyIntend(at, owner, json)) === 1
      },
      async finish(answer) {
        clearInterval(renewal)
        await scripts.runnerKeyFinish(at, owner, answer, KEPT)
        // From here on they are the job's alone. Where that is not written down, it is when the key is gone.
        for (const place of placesIn(intended))
          await files
            .of(place)
            .then(uses => files.drop(uses.filter(use => use.queue === SPACE && use.id === id)))
            .catch(() => undefined)
      },
      async abandon() {
        clearInterval(renewal)
        await scripts.runnerKeyAbandon(at, owner)
      },
    }
  }
}
