/** A fleet as the live view gets it: so many queues and replicas, some with something to look at. */
import type { Snapshot } from '../../../src/steering/snapshot.ts'
import { replicaEntry } from '../../helpers/replica-entry.ts'

export function fleetOf(queues: number, replicas: number): Snapshot {
  const blocked = {
    executor: 1,
    ms: 12_300,
    where: 'at jobs/reports/render.ts:120:15',
    queue: 'queue-1',
    job: 'render-report',
    id: '17',
  }
  return {
    at: 1_800_000_000_000,
    queues: Array.from({ length: queues }, (_, i) => ({
      queue: `queue-${i}`,
      paused: i === 2,
      waiting: i * 1_000,
      prioritized: 0,
      active: i === 1 ? 2 : 0,
      delayed: 3,
      waitingChildren: 0,
      failed: i === 1 ? 184_600 : 0,
      completed: 10,
      oldest: i === 0 ? null : 90_000,
      rate: i === 1 ? 12.5 : 0,
      drain: i === 0 ? 0 : i === 1 ? 80_000 : null,
      globalConcurrency: null,
      replicas: i === 3 ? 0 : replicas,
      slots: 10 * replicas,
    })),
    running: [
      {
        queue: 'queue-1',
        id: '16',
        name: 'send-email',
        state: 'active',
        timestamp: 0,
        attemptsMade: 0,
        attemptsStarted: 1,
        progress: { done: 30, total: 100 },
        age: 4_000,
        processedBy: 'web-1',
      },
      {
        queue: 'queue-1',
        id: '17',
        name: 'render-report',
        state: 'active',
        timestamp: 0,
        attemptsMade: 0,
        attemptsStarted: 1,
        age: 13_000,
        processedBy: 'web-7f9c6d5b8-1abcd-17',
        blocked,
      },
    ],
    replicas: Array.from({ length: replicas }, (_, i) =>
      replicaEntry({
        id: `web-7f9c6d5b8-${i}abcd-17`,
        startedAt: Date.now() - 600_000,
        queues: { 'queue-1': 10 },
        quiet: i === 1,
        blocked: i === 0 ? [blocked] : [],
      }),
    ),
    migrations: [],
  }
}
