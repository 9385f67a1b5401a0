/**
 * Makes one ioredis client. Every client of the package comes from here, so all of them outlive an outage:
 * they reconnect for ever and never raise an unhandled 'error'. Commands wait meanwhile, and a command whose
 * answer was lost is sent again: *at least once*, so a command that is not idempotent may be applied twice. Not so on a
 * Cluster: ioredis sends a command 16 times at most, and rejects it then with "Too many Cluster redirections", whatever
 * `maxRetriesPerRequest` says. A failover may take longer. That is `clusterdown` (redis-error.ts): try again.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { redisErrorKind } from './redis-error.ts'
import type { Target } from './target.ts'

export type Client = Redis | Cluster

/** The longest wait between two attempts to connect: how much later than another client one may be back. */
export const RECONNECT_MAX_MS = 2_000
/** A polite QUIT waits for pending replies; a blocked or unreachable connection is cut after this. */
const QUIT_MS = 500
/** For the first byte of the answer on a new connection. */
const HANDSHAKE_MS = 5_000

const DEFAULTS: RedisOptions = {
  connectTimeout: 5_000,
  keepAlive: 10_000,
  // A peer that vanished without a word (power cut, dropped NAT entry) is noticed when a command stays unanswered
  // for this long; TCP alone takes a quarter of an hour. ioredis counts only while a reply is outstanding, so an
  // idle client is left alone, and BullMQ blocks for 10 s at most. A `BLPOP key 0` would be cut: do not use one.
  socketTimeout: 15_000,
  reconnectOnError: reconnectOnce,
}

/** Of RedisOptions: send the command again on a new connection. */
const RECONNECT_AND_RESEND = 2
/** Milliseconds between two reconnects of a client because the server does not let it write. */
const RECONNECT_AGAIN = 10_000
const reconnected = new WeakMap<object, number>()

/** The `attempt`-th wait between reconnects, in ms: 50, 100, 200 ... 2000, spread so that a fleet does not come back in step. */
export function reconnectDelay(attempt: number): number {
  return Math.round(Math.min(RECONNECT_MAX_MS, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2))
}

export interface ClientTraits {
  /** Shown by CLIENT LIST as `runner:<role>`. */
  role: string
  /** INFO is forbidden to this user: neither ioredis nor BullMQ may ask for it. */
  withoutInfo?: boolean
}

/** A client that keeps trying. Options of the user win over defaults, except where BullMQ would break. */
export function openClient(target: Target, { role, withoutInfo = false }: ClientTraits): Client {
  const client = create(target, {
    retryStrategy: reconnectDelay,
    sentinelRetryStrategy: reconnectDelay,
    connectionName: `runner:${role.replaceAll(/[^\w.:-]/g, '-')}`,
    lazyConnect: false,
    // A primary that froze closes no connection: the Sentinels say that another one has taken its place.
    ...(target.nodes === undefined && { failoverDetector: true }),
    ...(withoutInfo && { enableReadyCheck: false, skipVersionCheck: true }),
  })
  client.on('error', ignore)
  cutSilentConnections(client)
  return client
}

/** A client that tries once, when connect() is called, and gives up on any failure. */
export function openOnce(target: Target): Client {
  return create(target, {
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
    connectionName: 'runner:probe',
    lazyConnect: true,
    enableReadyCheck: false,
  })
}

/** Waits for pending replies for half a second at most, then cuts. Never throws. */
export async function closeClient(client: Client): Promise<void> {
  if (client.status === 'end') return
  const ended = new Promise(resolve => client.once('end', resolve))
  if (client.status === 'ready')
    await Promise.race([client.quit().catch(ignore), delay(QUIT_MS, undefined, { ref: false })])
  const waiting = client.status === 'reconnecting'
  client.disconnect()
  // Between two attempts ioredis has no socket whose end would reject the commands that wait: one attempt makes one.
  if (waiting) void client.connect().then(() => client.disconnect(), ignore)
  await Promise.race([ended, delay(QUIT_MS, undefined, { ref: false })])
  if (waiting) client.disconnect()
}

interface Behaviour extends Pick<
  RedisOptions,
  'connectionName' | 'lazyConnect' | 'enableReadyCheck' | 'failoverDetector'
> {
  retryStrategy: (attempt: number) => number | null
  sentinelRetryStrategy: (attempt: number) => number | null
  /** Read by BullMQ from the options of the client it is given. */
  skipVersionCheck?: boolean
}

function create({ nodes, options }: Target, behaviour: Behaviour): Client {
  const { retryStrategy, sentinelRetryStrategy, lazyConnect = false, ...common } = behaviour
  const { commandTimeout: _, ...given } = options
  const shared = {
    ...DEFAULTS,
    // Without commandTimeout: it would end BullMQ's blocking fetch.
    ...given,
    ...common,
    // BullMQ refuses a number (a blocked fetch has to survive a restart of Redis) and reads RESP2 shapes.
    maxRetriesPerRequest: null,
    replyMapping: 'legacy' as const,
  }
  if (nodes === undefined) return new Redis({ ...shared, retryStrategy, sentinelRetryStrategy, lazyConnect })
  return new Cluster(nodes, {
    clusterRetryStrategy: retryStrategy,
    redisOptions: shared,
    lazyConnect,
    slotsRefreshTimeout: 3_000,
    enableReadyCheck: common.enableReadyCheck ?? true,
    // Certificates are issued for names, and the names that a managed Cluster announces resolve by themselves.
    ...(options.tls !== undefined && { dnsLookup: (address, callback) => callback(null, address) }),
  })
}

/**
 * A connection can be taken over by what never answers: a load balancer without a server behind it, a network that
 * drops packets. `socketTimeout` would find out as well, much later.
 */
function cutSilentConnections(client: Client): void {
  if (client instanceof Cluster) client.on('+node', cutSilentConnections)
  else client.on('connect', () => cutIfSilent(client))
  // BullMQ makes the connection on which it waits for jobs by itself.
  const duplicate = client.duplicate.bind(client) as (...override: unknown[]) => Client
  client.duplicate = (...override: unknown[]) => {
    const twin = duplicate(...override)
    cutSilentConnections(twin)
    return twin as never
  }
}

function cutIfSilent({ stream }: Redis): void {
  const before = stream.bytesRead
  const cut = setTimeout(() => {
    if (stream.bytesRead === before) stream.destroy(new Error(`no answer within ${HANDSHAKE_MS} ms`))
  }, HANDSHAKE_MS)
  cut.unref()
  stream.once('close', () => clearTimeout(cut))
}

/**
 * After a failover that nobody told the client of, the server at the other end is a replica and refuses to write; a new
 * connection leads to the new primary. Not in a loop: where it leads to a replica again, callers get the error.
 */
function reconnectOnce(this: object | void, error: Error): false | typeof RECONNECT_AND_RESEND {
  if (this === undefined || redisErrorKind(error) !== 'readonly') return false
  const now = performance.now()
  if (now - (reconnected.get(this) ?? -Infinity) < RECONNECT_AGAIN) return false
  reconnected.set(this, now)
  return RECONNECT_AND_RESEND
}

function ignore(): void {
  // Deliberately silent: the events 'close' and 'ready' tell an outage, and BullMQ reports it to its owner.
}
