/** `runner fleet pardon <job>`: a job that was caught blocking shares executors again, in every replica. */
import type { Command } from 'commander'
import { RunnerError } from '../../errors.ts'
import { Blockers } from '../../redis/blockers.ts'
import { openRedis } from '../../redis/connection.ts'
import { didYouMean } from '../../suggestion.ts'
import { formatMilliseconds } from '../../units.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument('[job]', 'name of the job; without it, the jobs that there are to pardon are listed')
    .action(async (job: string | undefined) => pardon(job, context))
  addHelp(
    command,
    [
      ['runner fleet pardon', 'which jobs were caught, where, and for how long'],
      ['runner fleet pardon render-report', 'replicas know of it within 5 s'],
    ],
    ['ok', 'usage', 'redis', 'notFound'],
  )
}

async function pardon(job: string | undefined, context: CliContext): Promise<void> {
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  const blockers = new Blockers(redis.connect('command'), redis.prefix)
  const known = await blockers.list()
  if (job === undefined) {
    const rows = [...known.values()]
    const lines = rows.map(({ job: name, where, ms }) => `${name}  ${formatMilliseconds(ms)}  ${where}`)
    context.print(lines.join('\n') || 'no job was caught blocking', rows)
    return
  }
  if (!(await blockers.pardon(job))) {
    throw new RunnerError(
      'JOB_NOT_FOUND',
      `${job} was not caught blocking`,
      didYouMean(job, [...known.keys()]),
    )
  }
  context.print(`${job} shares executors again`, { job })
}
