/** `runner queues drain <queue>`: the jobs that wait are removed. Those that run go on. */
import type { Command } from 'commander'
import { countOf } from '../../inspector/walk.ts'
import type { State } from '../../inspector/state.ts'
import { confirm } from '../confirm.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { steerQueues } from './steer.ts'

interface DrainFlags {
  delayed?: true
  dryRun?: true
  yes?: true
}

export function define(command: Command, context: CliContext): void {
  command
    .argument('<queue>', 'as runner queues list has it')
    .option('--delayed', 'those that are delayed, too; the next runs of its schedules stay')
    .option('--dry-run', 'say how many there are, and change nothing')
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .action(async (name: string, flags: DrainFlags) => drain(name, flags, context))
  addHelp(
    command,
    [
      ['runner queues drain mail --dry-run'],
      ['runner queues drain mail --delayed --yes', 'there is no way back'],
    ],
    ['ok', 'usage', 'redis', 'notFound'],
  )
}

async function drain(name: string, { delayed, dryRun, yes }: DrainFlags, context: CliContext): Promise<void> {
  await steerQueues(context, [name], async (queue, { client, baseOf }) => {
    const base = baseOf(name)
    const states: State[] = ['waiting', 'prioritized', ...(delayed === true ? (['delayed'] as const) : [])]
    const count = async () =>
      (await Promise.all(states.map(state => countOf(client, base, state)))).reduce(
        (sum, one) => sum + one,
        0,
      )
    const before = await count()
    if (dryRun === true) return { said: `${before} would be removed`, data: { matching: before } }
    if (yes !== true) await confirm(`remove ${before} jobs of queue ${name}?`)
    await queue.drain(delayed === true)
    const removed = Math.max(0, before - (await count()))
    return { said: `${removed} removed`, data: { removed } }
  })
}
