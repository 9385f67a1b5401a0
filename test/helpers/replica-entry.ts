/** What a replica publishes of itself, for tests that need none to run. */
import type { Replica } from '../../src/redis/replicas.ts'

export function replicaEntry(own: Partial<Replica> = {}): Replica {
  return {
    id: 'r',
    host: 'web-1',
    pid: 1,
    version: '1.0.0',
    startedAt: 0,
    queues: {},
    jobs: [],
    handlers: {},
    executors: 1,
    isolation: 'thread',
    running: 0,
    rates: {},
    rss: 0,
    blocked: [],
    quiet: false,
    terms: { maxStalledCount: 3, grace: 25_000, blockLimit: false, abortGrace: 1_000, locks: {} },
    ...own,
  }
}
