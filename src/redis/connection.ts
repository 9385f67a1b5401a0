/**
 * The way to Redis for the whole package: find it (or start the private one), look at it once, make clients.
 * Fails fast and with a reason before the first success; afterwards an outage of any length is waited out.
 */
import type { Config } from '../config.ts'
import { RunnerError, messageOf } from '../errors.ts'
import { checkServer } from './checks.ts'
import { type Client, closeClient, openClient } from './client.ts'
import { joinPrivateServer } from './embedded.ts'
import { firstConnection } from './first-connection.ts'
import { requireReplicaRights } from './rights.ts'
import { readTarget, requireHashTag, type Target } from './target.ts'

export interface RedisHandle extends AsyncDisposable {
  /**
   * A new client that is connecting already, fit for BullMQ. `role` is what CLIENT LIST shows, as `runner:<role>`.
   * It reconnects for ever and has an 'error' listener. A Cluster when the setting names one.
   */
  connect(role: string): Client
  /** Where the server is, for messages: without user name and password. */
  readonly location: string
  /** Key prefix of all queues; has a hash tag if the server is a Cluster. */
  readonly prefix: string
  /** The private server under `.runner/`. */
  readonly embedded: boolean
  /** Name and version, such as 'Redis 7.0.15'. */
  readonly version: string
  /** Lines for people, each with its fix. Empty when all is well. */
  readonly warnings: readonly string[]
  /** ms, median of 5 PINGs at start. */
  readonly roundTrip: number
  /** Closes every client made by connect() and leaves the private server. Idempotent; never throws. */
  close(): Promise<void>
}

export interface OpenOptions {
  /** Gets the line that a private server was started by this process. */
  onMessage?: (line: string) => void
  /** Looks whether the user may do all that a replica does. Default false. */
  asReplica?: boolean
}

/**
 * Throws CONFIG_INVALID (URL, prefix), REDIS_UNREACHABLE (within about 5 s), REDIS_UNSUITABLE (version, replica),
 * REDIS_FORBIDDEN (with `asReplica`),
 * REDIS_SERVER_MISSING and REDIS_SERVER_FAILED (private server).
 */
export async function openRedis(
  config: Pick<Config, 'redis' | 'prefix' | 'cwd' | 'redisFrom'>,
  { onMessage, asReplica = false }: OpenOptions = {},
): Promise<RedisHandle> {
  const given = config.redis === undefined ? undefined : readTarget(config.redis, config.redisFrom)
  if (given !== undefined) requireHashTag(given, config.prefix)
  const server = given === undefined ? await joinPrivateServer(config.cwd) : undefined
  const target = given ?? {
    options: { path: server?.socket ?? '' },
    location: 'private server under .runner/',
  }
  try {
    const probe = await firstConnection(target)
    const report = await checkServer(probe, target.location)
      .then(async found => {
        if (asReplica) await requireReplicaRights(probe, config.prefix, target.location)
        return found
      })
      .catch((error: unknown) => {
        if (error instanceof RunnerError) throw error
        throw new RunnerError(
          'REDIS_UNREACHABLE',
          `Redis at ${target.location} went away: ${messageOf(error)}`,
          { cause: error },
        )
      })
      .finally(() => probe.disconnect())
    if (server?.started === true) {
      const version = report.version.split(' ')[1] ?? ''
      onMessage?.(`redis: private server under .runner/ (${server.program} ${version})`)
    }
    const { roundTrip, version, withoutInfo } = report
    const warnings = [...uncheckedTls(target), ...report.warnings]
    const clients = new Set<Client>()
    let closing: Promise<void> | undefined
    const handle: RedisHandle = {
      location: target.location,
      prefix: config.prefix,
      embedded: server !== undefined,
      version,
      warnings,
      roundTrip,
      connect(role) {
        if (closing !== undefined) throw new Error('the Redis handle is closed')
        const client = openClient(target, { role, withoutInfo })
        clients.add(client)
        client.once('end', () => clients.delete(client))
        return client
      },
      close() {
        closing ??= Promise.all([...clients].map(closeClient)).then(() => server?.leave())
        return closing
      },
      [Symbol.asyncDispose]: () => handle.close(),
    }
    return handle
  } catch (error) {
    server?.leave()
    throw error
  }
}

/** Encrypted, but to whoever answers. */
function uncheckedTls({ options, location }: Target): string[] {
  if (options.tls?.rejectUnauthorized !== false) return []
  return [
    `Redis at ${location}: its certificate is not checked (rejectUnauthorized: false), so anybody on the way may take its place; fix: tls: { ca } in the config file, or NODE_EXTRA_CA_CERTS`,
  ]
}
