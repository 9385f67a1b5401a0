/** What the doctor says of a server, by what that server says of itself. */
import { expect, it } from 'vitest'
import { clockFindings } from '../../src/doctor/clocks.ts'
import type { Judgement } from '../../src/doctor/finding.ts'
import { judgeEviction, judgeMemory } from '../../src/doctor/memory.ts'
import {
  judgeFork,
  judgeLastWrite,
  judgePersistence,
  type PersistenceSettings,
} from '../../src/doctor/persistence.ts'
import { judgeClients, judgeRoundTrip } from '../../src/doctor/server.ts'
import type { Replica } from '../../src/redis/replicas.ts'

const SETTINGS = { save: '3600 1', appendfsync: 'everysec', stopWrites: 'yes' }
const GIB = 2 ** 30

type Judge = (info: Map<string, string>, settings: PersistenceSettings) => Judgement
type Case = [
  judge: Judge,
  info: Record<string, string | number>,
  settings: Partial<PersistenceSettings>,
  level: string,
  actual: string,
  fix?: string,
]

it.each<Case>([
  [judgeEviction, { maxmemory_policy: 'noeviction' }, {}, 'ok', 'noeviction'],
  [
    judgeEviction,
    { maxmemory_policy: 'volatile-lru' },
    {},
    'error',
    'locks vanish',
    'config set maxmemory-policy',
  ],
  [
    judgeEviction,
    { maxmemory_policy: 'allkeys-lfu' },
    {},
    'error',
    'jobs vanish',
    'redis.conf: maxmemory-policy',
  ],
  [judgeMemory, { used_memory: GIB, maxmemory: 2 * GIB }, {}, 'ok', '50%'],
  [
    judgeMemory,
    { used_memory: 1.7 * GIB, maxmemory: 2 * GIB },
    {},
    'warning',
    '85%: when it is full, no job',
    'removeOn',
  ],
  [judgeMemory, { used_memory: 2 * GIB, maxmemory: 2 * GIB }, {}, 'error', '100%'],
  [
    judgeMemory,
    { used_memory: GIB, maxmemory: 0, total_system_memory: GIB },
    {},
    'error',
    'the host ends Redis',
  ],
  [judgeMemory, { used_memory: GIB, maxmemory: 0 }, {}, 'ok', '1024 MiB, without a limit'],
  [
    judgeClients,
    { connected_clients: 9_700, maxclients: 10_000 },
    {},
    'error',
    '97%: when all',
    'maxclients',
  ],
  [judgeClients, { connected_clients: 97, maxclients: 10_000 }, {}, 'ok', '1%'],
  [judgePersistence, { aof_enabled: 1 }, {}, 'ok', 'appendonly yes, appendfsync everysec'],
  [
    judgePersistence,
    { aof_enabled: 1 },
    { appendfsync: 'no' },
    'warning',
    'a power cut',
    'appendfsync everysec',
  ],
  [judgePersistence, { aof_enabled: 1 }, { appendfsync: undefined }, 'ok', 'appendfsync unknown'],
  [judgePersistence, { aof_enabled: 0 }, {}, 'warning', 'snapshots only (save 3600 1)', 'appendonly yes'],
  [
    judgePersistence,
    { aof_enabled: 0 },
    { save: '' },
    'warning',
    'a restart of Redis loses all jobs',
    'appendonly yes',
  ],
  [judgePersistence, { aof_enabled: 0 }, { save: undefined }, 'unknown', 'may not be asked', '+config|get'],
  [judgeLastWrite, { rdb_last_bgsave_status: 'ok', aof_last_write_status: 'ok' }, {}, 'ok', 'ok'],
  [judgeLastWrite, { rdb_last_bgsave_status: 'err' }, {}, 'error', 'MISCONF', 'full disk'],
  [judgeLastWrite, { rdb_last_bgsave_status: 'err' }, { stopWrites: 'no' }, 'warning', 'failed: snapshot'],
  [judgeLastWrite, { rdb_last_bgsave_status: 'err' }, { save: '' }, 'warning', 'failed: snapshot'],
  [judgeLastWrite, { aof_last_write_status: 'err' }, { save: '' }, 'error', 'MISCONF'],
  [judgeLastWrite, { aof_last_bgrewrite_status: 'err' }, {}, 'warning', 'rewrite of the append-only file'],
  [judgeFork, { latest_fork_usec: 20_000 }, {}, 'ok', '20ms'],
  [judgeFork, { latest_fork_usec: 2_500_000 }, {}, 'warning', '2.5s: for so long', 'huge pages'],
])('%o of %j and %j: %s', (judge, info, settings, level, actual, fix) => {
  const fields = new Map(Object.entries(info).map(([name, value]) => [name, String(value)]))
  const judgement = judge(fields, { ...SETTINGS, ...settings })
  expect(judgement.level).toBe(level)
  expect(judgement.actual).toContain(actual)
  expect(judgement.fix === null).toBe(level === 'ok')
  if (fix !== undefined) expect(judgement.fix).toContain(fix)
})

it('warns of a Redis that is far away, and more so of one that is very far', () => {
  expect(judgeRoundTrip(0.24)).toMatchObject({ level: 'ok', actual: '0.2ms from this host' })
  expect(judgeRoundTrip(12)).toMatchObject({
    level: 'warning',
    actual: '12ms from this host: a job costs several of them',
  })
  expect(judgeRoundTrip(80).actual).toContain('each lock that is renewed')
})

it('judges the clock of each host once, by what is furthest off', () => {
  const replica = (host: string, skew?: number) => ({ host, ...(skew !== undefined && { skew }) }) as Replica
  const live = [replica('a', 600), replica('a', -2_100), replica('b', 501), replica('c', 500), replica('old')]
  const levels = clockFindings({ live, skew: 0 }).map(({ level, actual }) => [level, actual.split(':')[0]])
  expect(levels.slice(1)).toEqual([
    ['error', 'a is 2.1s behind'],
    ['warning', 'b is 501ms ahead'],
    ['ok', 'c is 500ms ahead'],
    ['ok', 'old is'],
  ])
  expect(clockFindings({ live: [], skew: -5_000 })).toMatchObject([
    { level: 'error', fix: expect.stringContaining('timedatectl set-ntp true') as string },
  ])
})
