/** `runner queues drain <queue>`: the jobs that wait are removed. Those that run go on. */
import type { Command } from 'commander'
import { countOf } from '../../inspector/walk.ts'
import type { State } from '../../inspector/state.ts'
import { bulk } from '../../inspector/bulk.ts'
import { removeJob } from '../../inspector/changes.ts'
import { breakable } from '../breakable.ts'
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
    ['ok', 'usage', 'redis', 'notFound', 'forced'],
  )
}

async function drain(name: string, { delayed, dryRun, yes }: DrainFlags, context: CliContext): Promise<void> {
  await steerQueues(context, [name], async (queue, { client, baseOf }) => {
    const base = baseOf(name)
    const states: State[] = ['waiting', 'prioritized', ...(delayed === true ? (['delayed'] as const) : [])]
    const counts = await Promise.all(states.map(state => countOf(client, base, state)))
    const most = counts.reduce((sum, one) => sum + one, 0)
    if (dryRun === true) return { said: `up to ${most} would be removed`, data: { matching: most } }
    if (yes !== true) await confirm(`remove up to ${most} jobs of queue ${name}?`)
    const targets = states.map(state => ({ queue: name, base, state }))
    // BullMQ's own is one script, which holds up all of Redis for as long as it takes.
    const { result, broken } = await breakable(context.note, (signal, show) =>
      bulk(client, targets, {
        filter: {},
        limit: Infinity,
        signal,
        onProgress: ({ done }) => show(`${done} of ${most} removed`),
        change: ({ state }, id) => removeJob(client, queue, id, state),
      }),
    )
    const { done, failed } = result
    // Next runs of schedules, mostly.
    const left = failed === 0 ? '' : `, ${failed} stay: ${result.reason}`
    return { said: `${done} removed${left}`, data: { removed: done, stay: failed, broken } }
  })
}
