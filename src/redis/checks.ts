/**
 * Looks once, at start, whether this Redis can keep jobs safe. What would lose or duplicate jobs without a word
 * ends the command (REDIS_UNSUITABLE) or is a warning with its fix. Persistence is the owner's choice: not checked.
 */
import { performance } from 'node:perf_hooks'
import { type Cluster, Redis } from 'ioredis'
import { RunnerError } from '../errors.ts'
import { primariesOf, readInfo, type Info } from './server-info.ts'

/** BullMQ runs from 5.0, but only 6.2 has the commands that its newer scripts count on. */
const MINIMUM = [6, 2] as const
const SLOW_MS = 50
const PINGS = 5

export interface ServerReport {
  /** 'Redis 7.0.15', 'Valkey 8.0.1', or 'Redis' when INFO is forbidden. */
  version: string
  /** Lines for people: what was found, what is at stake, what to do. */
  warnings: string[]
  /** ms, median. */
  roundTrip: number
  withoutInfo: boolean
}

/** Throws REDIS_UNSUITABLE. `location` is for messages. */
export async function checkServer(client: Redis | Cluster, location: string): Promise<ServerReport> {
  const warnings = new Set<string>()
  let version: string | undefined
  for (const node of primariesOf(client)) {
    const info = await readInfo(node)
    if (info === undefined) continue
    const name =
      client instanceof Redis ? location : `${node.options.host}:${node.options.port} of ${location}`
    version = checkVersion(info, name)
    checkRole(info, name, client instanceof Redis)
    const eviction = evictionWarning(info, name)
    if (eviction !== undefined) warnings.add(eviction)
  }
  const withoutInfo = version === undefined
  if (withoutInfo)
    warnings.add(
      `Redis at ${location}: this user may not run INFO, so version, role and eviction policy are unchecked; fix: ACL SETUSER <name> +info`,
    )
  const roundTrip = await measureRoundTrip(client)
  if (roundTrip > SLOW_MS)
    warnings.add(
      `Redis at ${location} is ${Math.round(roundTrip)} ms away; each job costs several round trips, so run nearer to it or raise --concurrency`,
    )
  return { version: version ?? 'Redis', warnings: [...warnings], roundTrip, withoutInfo }
}

function checkVersion(info: Info, name: string): string {
  // The first Valkey is a copy of Redis 7.2 and counts as that, whatever redis_version it claims.
  const valkey = info.get('valkey_version')
  if (valkey !== undefined) return `Valkey ${valkey}`
  const found = info.get('redis_version') ?? '0'
  const [major = 0, minor = 0] = found.split('.').map(Number)
  if (major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])) return `Redis ${found}`
  throw new RunnerError(
    'REDIS_UNSUITABLE',
    `Redis at ${name} is version ${found}, at least ${MINIMUM.join('.')} is needed`,
    { hint: 'upgrade to Redis 6.2 or later, or any Valkey', details: { version: found } },
  )
}

function checkRole(info: Info, name: string, single: boolean): void {
  if (info.get('role') === 'slave') {
    // A writable replica is no better: the next sync throws its writes away.
    const master = `${info.get('master_host')}:${info.get('master_port')}`
    throw new RunnerError('REDIS_UNSUITABLE', `Redis at ${name} is a read-only replica of ${master}`, {
      hint: `connect to the primary ${master}, or to its Sentinel group`,
    })
  }
  if (single && info.get('redis_mode') === 'cluster')
    throw new RunnerError('REDIS_UNSUITABLE', `Redis at ${name} is a node of a Cluster`, {
      hint: "in the config file: redis: { cluster: [{ host, port }] }, prefix: '{bull}'",
    })
}

function evictionWarning(info: Info, name: string): string | undefined {
  const policy = info.get('maxmemory_policy')
  const stake = evictionStake(policy)
  if (stake === undefined) return undefined
  return `Redis at ${name} has maxmemory-policy ${policy}: when its memory is full, ${stake}; fix: CONFIG SET maxmemory-policy noeviction`
}

/** What goes wrong under this maxmemory-policy once the memory is full; undefined: nothing. */
export function evictionStake(policy: string | undefined): string | undefined {
  if (policy === undefined || policy === 'noeviction') return undefined
  return policy.startsWith('volatile') ? 'locks vanish and jobs run twice' : 'jobs vanish without a trace'
}

async function measureRoundTrip(client: Redis | Cluster): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < PINGS; i++) {
    const start = performance.now()
    await client.ping()
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[Math.floor(PINGS / 2)] ?? 0
}
