/**
 * `runner dev`: a replica for the desk. Private Redis unless another is configured, job files loaded anew when they
 * change, schedules applied.
 */
import type { Command } from 'commander'
import { addHelp } from './help.ts'
import { addSettingFlags } from './setting-flags.ts'
import type { CliContext } from './verbs.ts'

export function define(command: Command, context: CliContext): void {
  command.action(async () => {
    const { work } = await import('./work.ts')
    return work(await context.config(), true, 'apply')
  })
  addSettingFlags(command, 'work', 'Options of the replica:')
  addHelp(
    command,
    [['runner dev', 'then, elsewhere: runner enqueue <job> --follow']],
    ['ok', 'runtime', 'usage', 'redis', 'recycled', 'handedBack', 'forced'],
  )
}
