/** Queues that a replica was given and that nobody knows: that is said, and no more. */
import { queueDoubt } from '../enqueue/queue-doubt.ts'
import type { Supervisor } from '../fleet/supervisor.ts'
import type { RedisHandle } from '../redis/connection.ts'
import { Replicas } from '../redis/replicas.ts'

/** Of the queues `given` to a replica that has started. Never rejects: it is only a note, beside the work. */
export async function doubtQueues(
  given: readonly string[],
  { jobs, registration }: Pick<Supervisor, 'jobs' | 'registration'>,
  redis: RedisHandle,
  warn: (line: string) => void,
): Promise<void> {
  const named = new Set([...jobs.values()].map(entry => entry.queue))
  const strange = given.filter(queue => !named.has(queue))
  if (strange.length === 0) return
  try {
    const client = redis.connect('doubt')
    const live = await new Replicas(client, redis.prefix).list()
    client.disconnect()
    // This one is among them, and works what it was given.
    const others = live.filter(({ id }) => id !== registration?.id)
    const known = [...named, ...others.flatMap(({ queues }) => Object.keys(queues))]
    for (const line of strange.map(queue => queueDoubt(queue, known))) if (line !== undefined) warn(line)
  } catch {
    // It stops already, or Redis is away.
  }
}
