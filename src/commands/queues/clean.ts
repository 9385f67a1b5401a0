/** `runner queues clean <queue>`: jobs that ended long ago are removed. */
import { type Command, Option } from 'commander'
import { RunnerError } from '../../errors.ts'
import { walk } from '../../inspector/walk.ts'
import { durationOption } from '../../units.ts'
import { breakable } from '../breakable.ts'
import { confirm } from '../confirm.ts'
import { addHelp } from '../help.ts'
import { limitOf } from '../jobs/filter.ts'
import type { CliContext } from '../verbs.ts'
import { steerQueues } from './steer.ts'

/** Jobs removed by one script: some milliseconds of Redis. */
const AT_ONCE = 1_000

interface CleanFlags {
  state: 'completed' | 'failed'
  olderThan?: string
  limit?: string
  dryRun?: true
  yes?: true
}

export function define(command: Command, context: CliContext): void {
  command
    .argument('<queue>', 'as runner queues list has it')
    .addOption(
      new Option('--state <state>', 'of the jobs').choices(['completed', 'failed']).default('completed'),
    )
    .option('--older-than <time>', 'that ended before the last 7d, say; needed')
    .option('--limit <n>', 'so many jobs at most')
    .option('--dry-run', 'say how many there are, and change nothing')
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .action(async (name: string, flags: CleanFlags) => clean(name, flags, context))
  addHelp(
    command,
    [
      ['runner queues clean mail --older-than 7d --dry-run'],
      ['runner queues clean mail --state failed --older-than 30d --yes', 'there is no way back'],
    ],
    ['ok', 'usage', 'redis', 'notFound', 'forced'],
  )
}

async function clean(name: string, flags: CleanFlags, context: CliContext): Promise<void> {
  const { state, olderThan, dryRun, yes } = flags
  if (olderThan === undefined)
    throw new RunnerError('USAGE', 'say how old the jobs have to be: --older-than 7d', {
      hint: '--older-than 0s is all of them',
    })
  const age = durationOption('--older-than', olderThan)
  const limit = limitOf(flags, Infinity)
  await steerQueues(context, [name], async (queue, { client, baseOf }) => {
    if (dryRun === true) {
      let matching = 0
      const until = Date.now() - age
      for await (const { ids } of walk(client, baseOf(name), state, { oldestFirst: true, until }))
        matching += ids.length
      matching = Math.min(matching, limit)
      return { said: `${matching} would be removed`, data: { matching } }
    }
    if (yes !== true)
      await confirm(`remove the ${state} jobs of queue ${name} that ended ${olderThan} ago or earlier?`)
    const { result: removed, broken } = await breakable(context.note, async (signal, show) => {
      const begun = Date.now()
      let count = 0
      while (!signal.aborted && count < limit) {
        // What has grown old since was not asked for.
        const grace = age + (Date.now() - begun)
        const ids = await queue.clean(grace, Math.min(AT_ONCE, limit - count), state)
        if (ids.length === 0) break
        count += ids.length
        show(`${count} removed`)
      }
      return count
    })
    return { said: `${removed} removed`, data: { removed, broken } }
  })
}
