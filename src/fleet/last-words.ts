/** What a replica did when it began to stop, for whoever asks why it did. Names of jobs, no payload. */
import type { BlockPolicy } from './block-policy.ts'
import type { Run } from './run.ts'

/** Such as 'blocked: resize-image at jobs/image.ts:12; running: resize-image 3, mail 1'; empty when nothing ran. */
export function lastWords({
  runs,
  blocking,
}: {
  readonly runs: ReadonlySet<Run>
  readonly blocking: BlockPolicy
}): string {
  const blocked = blocking.blocks.map(({ job, where }) =>
    job === undefined ? where : `${job.name} ${where}`,
  )
  const counts = new Map<string, number>()
  for (const { job } of runs) counts.set(job.name, (counts.get(job.name) ?? 0) + 1)
  const running = [...counts].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`)
  return [
    ...(blocked.length === 0 ? [] : [`blocked: ${blocked.join(', ')}`]),
    ...(running.length === 0 ? [] : [`running: ${running.join(', ')}`]),
  ].join('; ')
}
