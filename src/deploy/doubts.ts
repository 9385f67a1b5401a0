/** What is odd about a plan, seen from the job files: lines for people. The objects are made all the same. */
import type { JobEntry } from '../job/manifest.ts'
import { closest } from '../suggestion.ts'
import { formatMilliseconds } from '../units.ts'
import type { Group, Plan } from './plan.ts'
import { LONGEST_TERMINATION, terminationSeconds } from './timing.ts'

/** `scheduled`: queues that only schedules name. */
export function doubtsOf(
  { groups }: Plan,
  jobs: readonly JobEntry[],
  scheduled: readonly string[] = [],
): string[] {
  const worked = groups.flatMap(({ queues }) => queues.map(({ name }) => name))
  const known = [...new Set([...jobs.map(({ queue }) => queue), ...scheduled])]
  const unworked = known
    .filter(queue => !worked.includes(queue))
    .map(queue => `no group works the queue ${queue}${nearest(queue, worked)}`)
  // Without job files nothing is known of queues.
  const strange =
    known.length === 0
      ? []
      : groups.flatMap(({ name, queues }) =>
          queues
            .filter(queue => !known.includes(queue.name))
            .map(queue => `group ${name}: no job names the queue ${queue.name}${nearest(queue.name, known)}`),
        )
  return [...unworked, ...strange, ...groups.flatMap(group => doubtsOfGroup(group, jobs))]
}

function doubtsOfGroup(group: Group, jobs: readonly JobEntry[]): string[] {
  const { name, queues, grace, abortGrace } = group
  const longer = jobs.filter(
    ({ queue, timeout, kind }) =>
      kind !== 'migration' && (timeout ?? 0) > grace && queues.some(own => own.name === queue),
  )
  const doubts = longer.map(
    ({ name: job, timeout = 0 }) =>
      `group ${name}: ${job} may run for ${formatMilliseconds(timeout)}, and a pod that stops waits ${formatMilliseconds(grace)}: what is not done then begins again elsewhere; raise grace, or keep what is done (ctx.checkpoint)`,
  )
  const termination = terminationSeconds(grace, abortGrace)
  if (termination > LONGEST_TERMINATION && group.kind === 'deployment')
    doubts.push(
      `group ${name}: its pods take up to ${termination}s to stop, and a drained node waits ${LONGEST_TERMINATION}s: kind: 'job' for such jobs`,
    )
  return doubts
}

function nearest(queue: string, among: readonly string[]): string {
  const near = closest(queue, among)
  return near === undefined ? '' : `; did you mean ${near}?`
}
