/** Whether this Redis can keep jobs safe, server by server. Each look is at what it says of itself, and at how far it is. */
import type { Redis } from 'ioredis'
import type { Client } from '../redis/client.ts'
import type { RedisHandle } from '../redis/connection.ts'
import { primariesOf, readInfo, readSetting, type Info } from '../redis/server-info.ts'
import { bad, ok, type Finding, type Judgement } from './finding.ts'
import { judgeEviction, judgeMemory } from './memory.ts'
import { judgeFork, judgeLastWrite, judgePersistence, type PersistenceSettings } from './persistence.ts'
import { judgeShare } from './share.ts'

const PINGS = 21
/** Milliseconds. */
const NEAR = 5
const FAR = 50

const CHECKS: Record<string, (info: Info, settings: PersistenceSettings) => Judgement> = {
  'maxmemory-policy': judgeEviction,
  memory: judgeMemory,
  persistence: judgePersistence,
  'last write': judgeLastWrite,
  fork: judgeFork,
  role: judgeRole,
  maxclients: judgeClients,
}

export async function serverFindings(redis: RedisHandle, client: Client): Promise<Finding[]> {
  // Without INFO it is a bare name.
  const isVersionKnown = redis.version.includes(' ')
  const roundTrip = await medianOfPings(client)
  const nodes = primariesOf(client)
  const byNode = await Promise.all(nodes.map(node => nodeFindings(node, nodes.length > 1)))
  return [
    ...(isVersionKnown ? [finding('version', ok('Redis 6.2 or later, or Valkey', redis.version))] : []),
    finding('round trip', judgeRoundTrip(roundTrip)),
    ...byNode.flat(),
  ]
}

async function nodeFindings(node: Redis, isOneOfMany: boolean): Promise<Finding[]> {
  const info = await readInfo(node)
  const where = isOneOfMany ? ` at ${node.options.host}:${node.options.port}` : ''
  if (info === undefined) {
    const unseen = `this user may not run INFO${where}: version, ${Object.keys(CHECKS).join(', ')} unseen`
    return [finding('INFO', bad('unknown', 'what Redis says of itself', unseen, 'ACL SETUSER <name> +info'))]
  }
  const [save, appendfsync, stopWrites] = await Promise.all(
    ['save', 'appendfsync', 'stop-writes-on-bgsave-error'].map(name => readSetting(node, name)),
  )
  return Object.entries(CHECKS).map(([check, judge]) => {
    const judgement = judge(info, { save, appendfsync, stopWrites })
    return finding(check, { ...judgement, actual: judgement.actual + where })
  })
}

const finding = (check: string, judgement: Judgement): Finding => ({ check, queue: null, ...judgement })

/** A replica of Redis is refused before anybody gets here. */
function judgeRole(info: Info): Judgement {
  const copies = Number(info.get('connected_slaves') ?? 0)
  return ok('a primary', `a primary with ${copies} ${copies === 1 ? 'copy' : 'copies'}`)
}

export function judgeClients(info: Info): Judgement {
  return judgeShare({
    used: Number(info.get('connected_clients') ?? 0),
    limit: Number(info.get('maxclients') ?? 0),
    consequence: 'when all are taken, no replica can start or reconnect',
    fix: 'redis-cli config set maxclients <more>, or fewer replicas: each has connections of its own for every queue',
    show: clients => `${clients} clients`,
  })
}

export function judgeRoundTrip(ms: number): Judgement {
  const expected = `at most ${NEAR}ms`
  const actual = `${Math.round(ms * 10) / 10}ms from this host`
  if (ms <= NEAR) return ok(expected, actual)
  const told =
    ms > FAR
      ? 'a job costs several of them, and so does each lock that is renewed'
      : 'a job costs several of them'
  return bad(
    'warning',
    expected,
    `${actual}: ${told}`,
    'run replicas nearer to Redis, or with more --concurrency',
  )
}

async function medianOfPings(client: Client): Promise<number> {
  const times: number[] = []
  while (times.length < PINGS) {
    const start = performance.now()
    await client.ping()
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[(PINGS - 1) / 2] ?? 0
}
