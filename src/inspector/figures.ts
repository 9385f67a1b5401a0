/** What is to be known of a queue at a glance. */
import { readQueueSignal } from '../redis/queue-signal.ts'
import type { Replica } from '../redis/replicas.ts'
import type { Inspector } from './inspector.ts'

export interface QueueFigures {
  queue: string
  paused: boolean
  waiting: number
  prioritized: number
  active: number
  delayed: number
  waitingChildren: number
  failed: number
  completed: number
  /** Milliseconds that the job which could run for longest has waited; null: none waits. */
  oldest: number | null
  /** Runs that ended a second, over the last minute, of all live replicas. Plain BullMQ workers tell none. */
  rate: number
  /** Milliseconds until nothing waits, at this rate; null: nothing ended. 0: nothing waits. */
  drain: number | null
  /** Jobs at once in all replicas together; null: no limit. */
  globalConcurrency: number | null
  /** Live replicas that work it and are not quiet, and the jobs that they can run at once. */
  replicas: number
  slots: number
}

export function figuresOf(
  inspector: Inspector,
  queues: readonly string[],
  replicas: readonly Replica[],
): Promise<QueueFigures[]> {
  return Promise.all(queues.map(queue => figures(inspector, queue, replicas)))
}

/** One round trip. Of a queue that is gone meanwhile: nothing waits. */
async function figures(
  { client, prefix }: Inspector,
  queue: string,
  replicas: readonly Replica[],
): Promise<QueueFigures> {
  const signal = await readQueueSignal(client, prefix, queue, 0)
  const { waiting = 0, prioritized = 0 } = signal ?? {}
  const working = replicas.filter(replica => !replica.quiet && queue in replica.queues)
  const rate = replicas.reduce((sum, { rates }) => sum + (rates[queue] ?? 0), 0)
  const backlog = waiting + prioritized
  return {
    queue,
    paused: signal?.paused ?? false,
    waiting,
    prioritized,
    active: signal?.active ?? 0,
    delayed: signal?.delayed ?? 0,
    waitingChildren: signal?.waitingChildren ?? 0,
    failed: signal?.failed ?? 0,
    completed: signal?.completed ?? 0,
    oldest: signal?.oldestAge ?? null,
    rate: Math.round(rate * 100) / 100,
    drain: backlog === 0 ? 0 : rate === 0 ? null : Math.round((backlog * 1_000) / rate),
    globalConcurrency: signal?.globalConcurrency ?? null,
    replicas: working.length,
    slots: working.reduce((sum, replica) => sum + (replica.queues[queue] ?? 0), 0),
  }
}
