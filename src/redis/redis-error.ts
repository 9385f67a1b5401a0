/** What an error of Redis says about the server, apart from the command that met it. */

/** First words of answers that any other command would get as well, until somebody mends the server or the user. */
const REFUSALS = [
  'READONLY',
  'NOPERM',
  'MISCONF',
  'OOM',
  'LOADING',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'NOREPLICAS',
  'NOAUTH',
  'WRONGPASS',
  'BUSY',
  'UNBLOCKED',
] as const

/** From a script, Redis 6 says first where in the script it happened. */
const REFUSAL = new RegExp(String.raw`(?:^|[ -])(${REFUSALS.join('|')}) `)

/** From a script, Redis 6 and 7.0 say NOPERM in other words. */
const DENIED = /user executing the script can't (?:run|access|publish)/i

/** `timeout`: it said nothing for too long. `connection`: it cannot be reached. */
export type RedisErrorKind = Lowercase<(typeof REFUSALS)[number]> | 'timeout' | 'connection'

/** Undefined: it is of one command, or none of Redis at all. */
export function redisErrorKind(error: unknown): RedisErrorKind | undefined {
  const { message = '', code = '' } = (error ?? {}) as { message?: string; code?: string | number }
  const refused = REFUSAL.exec(message)?.[1]
  // Errors that BullMQ makes of the answers of its scripts have a number.
  if (refused !== undefined && typeof code !== 'number') return refused.toLowerCase() as RedisErrorKind
  if (DENIED.test(message)) return 'noperm'
  // ioredis tried every node that it knows, until it gave up: while the Cluster agrees on another primary.
  if (message.startsWith('Too many Cluster redirections')) return 'clusterdown'
  if (/^Socket timeout|^no answer within|ETIMEDOUT/.test(message) || code === 'ETIMEDOUT') return 'timeout'
  if (/^Connection is closed|ECONN|EPIPE|EAI_AGAIN|ENOTFOUND/.test(`${message} ${code}`)) return 'connection'
  return undefined
}

/** Whether the server is there and refuses: trying again at once gets the same answer thousands of times a second. */
export function isRefusal(error: unknown): boolean {
  const kind = redisErrorKind(error)
  return kind !== undefined && kind !== 'timeout' && kind !== 'connection'
}
