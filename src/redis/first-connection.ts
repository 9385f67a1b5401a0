/**
 * The first connection of a command: fails within about 5 s and says why, where every later one waits for ever.
 * A server that is just being started, still loading, or behind a proxy that comes up gets a second and third try.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { RunnerError } from '../errors.ts'
import { type Client, openOnce } from './client.ts'
import type { Target } from './target.ts'

const TOTAL_MS = 5_000
const TRIES = 3
const PAUSE_MS = 300

/** What a person can do about it, by what the failure says. The first line that matches counts; `final` is not tried again. */
const HINTS: { pattern: RegExp; final?: boolean; hint: string }[] = [
  { pattern: /it speaks TLS/, final: true, hint: 'write rediss:// for TLS' },
  { pattern: /is no Redis/, final: true, hint: 'check host and port: another kind of server listens there' },
  {
    pattern: /NOPERM/,
    final: true,
    hint: 'its user lacks a right: deploy/redis/users.acl has what each kind of user needs',
  },
  {
    pattern: /WRONGPASS|NOAUTH|invalid password|without any password/i,
    final: true,
    hint: 'check user name and password: redis://user:password@host:port, special characters percent-encoded',
  },
  {
    pattern: /certificate|self.signed|SSL|TLS|EPROTO|altname/i,
    final: true,
    hint: 'rediss:// needs a TLS port and a trusted certificate: set NODE_EXTRA_CA_CERTS, or `tls: { ca }` in the config file',
  },
  { pattern: /ENOTFOUND/, final: true, hint: 'check the host name' },
  { pattern: /EACCES/, final: true, hint: 'this user may not open the socket' },
  { pattern: /DB index/i, final: true, hint: 'choose a database that the server has' },
  { pattern: /cluster support disabled/i, final: true, hint: 'this is no Cluster: give its URL as `redis`' },
  {
    pattern: /invalid reply: null|no such master/i,
    final: true,
    hint: 'check the `name` of the Sentinel group',
  },
  {
    pattern: /refused or closed|ECONNRESET/,
    hint: 'check that Redis runs there; one that hangs up at once may want TLS: write rediss://',
  },
  { pattern: /LOADING/, hint: 'the server still loads its data: try again soon' },
  {
    pattern: /no answer|ETIMEDOUT/,
    hint: 'check host, port and firewall; a TLS port answers rediss:// only, any other redis:// only',
  },
]
/** Of ioredis, for a first byte that no reply of a Redis begins with. */
const ALIEN = /^Unknown RESP type (\d+)/
/** The first byte of a TLS alert. */
const TLS_ALERT = 21
/** Says only that all has failed: what was said before it is the cause. */
const SUMMARY = /^(connection is closed|failed to refresh|none of startup|all sentinels are unreachable)/i
const DEFAULT_HINT = 'start Redis there, or give no --redis and no REDIS_URL to use a private server'

/** A connected client that gives up when the connection is lost; the caller disconnects it. Throws REDIS_UNREACHABLE. */
export async function firstConnection(target: Target): Promise<Client> {
  const deadline = Date.now() + TOTAL_MS
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryOnce(target, Math.max(500, deadline - Date.now()))
    if (typeof outcome !== 'string') return outcome
    const known = HINTS.find(({ pattern }) => pattern.test(outcome))
    if (attempt === TRIES || known?.final === true || Date.now() + PAUSE_MS > deadline)
      throw new RunnerError(
        'REDIS_UNREACHABLE',
        `Redis at ${target.location} cannot be reached: ${outcome}`,
        {
          hint: known?.hint ?? DEFAULT_HINT,
        },
      )
    await delay(PAUSE_MS * attempt)
  }
}

/** The client, or the reason in one line. */
async function tryOnce(target: Target, patience: number): Promise<Client | string> {
  const client = openOnce(target)
  // connect() only says that the connection is closed; the events say why. A failed SELECT is an event and nothing
  // else, and the client would go on in database 0.
  let reason: string | undefined
  const note = (error: unknown) => {
    const text = reasonOf(error)
    if (!SUMMARY.test(text) || reason === undefined) reason = text
  }
  for (const event of ['error', 'node error', 'sentinelError']) client.on(event, note)
  // ioredis would wait for the server to hang up.
  const alien = new Promise<never>((_, reject) => {
    client.on('error', (error: Error) => ALIEN.test(error.message) && reject(error))
  })
  const timeout = new AbortController()
  try {
    await Promise.race([
      client.connect().then(() => client.ping()),
      alien,
      delay(patience, undefined, { signal: timeout.signal }).then(() => {
        throw new Error(`no answer within ${Math.round(patience / 100) / 10} s`)
      }),
    ])
  } catch (error) {
    note(error)
    reason ??= reasonOf(error)
  } finally {
    timeout.abort()
  }
  if (reason === undefined) return client
  client.disconnect()
  // All that ioredis keeps of a refused Sentinel or Cluster node.
  return reason.replace(/connection is closed\.?/i, 'the connection was refused or closed')
}

/** A name with two addresses (localhost) fails with an AggregateError, which has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  const { message, lastNodeError } = error as { message?: string; lastNodeError?: unknown }
  if (lastNodeError !== undefined && lastNodeError !== null) return reasonOf(lastNodeError)
  const text = (message ?? String(error)).split('\n')[0] ?? ''
  const byte = Number(ALIEN.exec(text)?.[1])
  if (byte === TLS_ALERT) return 'it speaks TLS'
  if (byte > 0)
    return `what answers there is no Redis, it begins with ${JSON.stringify(String.fromCodePoint(byte))}`
  return text
}
