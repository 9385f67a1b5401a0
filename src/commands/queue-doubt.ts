/** A queue that was named and that nobody knows is a slip of the fingers, perhaps: that is said, and no more. */
import type { Supervisor } from '../fleet/supervisor.ts'
import type { RedisHandle } from '../redis/connection.ts'
import { Replicas } from '../redis/replicas.ts'
import { closest } from '../suggestion.ts'

/** `known`: queues that job files name or live replicas work. A note for people, where one of them is near. */
export function queueDoubt(queue: string, known: Iterable<string>): string | undefined {
  const names = new Set(known)
  const near = names.has(queue) ? undefined : closest(queue, names)
  return near === undefined ? undefined : `nobody is known to work queue ${queue}: did you mean ${near}?`
}

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
