/** A queue that was named and that nobody knows is a slip of the fingers, perhaps: that is said, and no more. */
import { closest } from '../suggestion.ts'

/** `known`: queues that job files name or live replicas work. A note for people, where one of them is near. */
export function queueDoubt(queue: string, known: Iterable<string>): string | undefined {
  const names = new Set(known)
  const near = names.has(queue) ? undefined : closest(queue, names)
  return near === undefined ? undefined : `nobody is known to work queue ${queue}: did you mean ${near}?`
}
