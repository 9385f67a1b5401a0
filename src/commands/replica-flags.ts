/** The command line of `runner work`, apart from the replica itself: a shell that completes it loads only this. */
import type { Command } from 'commander'
import { addHelp } from './help.ts'
import { addSettingFlags } from './setting-flags.ts'
import type { CliContext } from './verbs.ts'

export function define(command: Command, context: CliContext): void {
  command
    .option('--watch', 'load job files anew when they change')
    .action(async ({ watch }: { watch?: boolean }) => {
      const config = await context.config().catch(async (error: unknown) => {
        const { TerminationLog } = await import('../observe/termination-log.ts')
        // Where it was to be written is among the settings that are wrong.
        new TerminationLog(undefined, context.note).fail(error)
        throw error
      })
      const { work } = await import('./work.ts')
      return work(config, watch === true)
    })
  addSettingFlags(command, 'work', 'Options of a replica:')
  addSettingFlags(command, 'http', 'Options of a replica:')
  addHelp(
    command,
    [
      ['runner work', 'all queues that the job files name'],
      ['runner work --queue mail:20 --queue reports:2'],
      ['runner work --drain', 'and exit when the queues are empty'],
    ],
    ['ok', 'runtime', 'usage', 'redis', 'recycled', 'handedBack', 'forced'],
  )
}
