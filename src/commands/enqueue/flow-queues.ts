/** Which queue each job of a flow goes to, where neither the flow nor its file says so. */
import type { CheckedFlow } from '../../job/flow-check.ts'
import { DEFAULT_QUEUE } from '../../job/load.ts'
import type { JobEntry } from '../../job/manifest.ts'
import type { Replica } from '../../redis/replicas.ts'
import { queueDoubt } from '../../enqueue/queue-doubt.ts'
import { chooseQueue, namedQueue } from '../../enqueue/queue-choice.ts'

/**
 * The entries of all its jobs, each with the queue that `enqueue` alone would have taken. Says what there is to say of
 * a queue, once.
 */
export function placed(
  flow: CheckedFlow,
  entryOf: (name: string) => JobEntry,
  live: Replica[],
  note: (line: string) => void,
): (name: string) => JobEntry {
  const entries = new Map<string, JobEntry>()
  const notes = new Set<string>()
  const nodes = nodesOf(flow)
  for (const { name } of nodes) {
    if (entries.has(name)) continue
    const entry = entryOf(name)
    const named = namedQueue(undefined, entry)
    const choice = named === undefined ? chooseQueue(name, live) : { queue: named }
    if (choice.note !== undefined) notes.add(choice.note)
    entries.set(name, { ...entry, queue: choice.queue })
  }
  const known = [DEFAULT_QUEUE, ...live.flatMap(({ queues }) => Object.keys(queues))]
  known.push(...[...entries.values()].map(({ queue }) => queue))
  for (const { options } of nodes) {
    const doubt = options.queue === undefined ? undefined : queueDoubt(options.queue, known)
    if (doubt !== undefined) notes.add(doubt)
  }
  for (const line of notes) note(line)
  return name => entries.get(name)!
}

export function nodesOf(flow: CheckedFlow): CheckedFlow[] {
  return [flow, ...flow.children.flatMap(nodesOf)]
}
