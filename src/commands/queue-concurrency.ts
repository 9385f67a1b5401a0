/** How many jobs of a queue a replica with these settings runs at once. */
import type { Config } from '../config.ts'
import { readQueue } from '../queue-setting.ts'

export function queueConcurrency({ queues, concurrency }: Config): (queue: string) => number {
  const named = new Map(queues.map(text => readQueue(text, concurrency)))
  return queue => named.get(queue) ?? concurrency
}
