/** `runner schedules remove <schedule>`: it makes no more jobs. One that is running goes on. */
import type { Command } from 'commander'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { choose, unknownSchedule } from './chosen.ts'
import { openSchedulers } from './open-schedulers.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument('<schedule>', 'as `list` shows it: the name of the job, or <job>:<key>')
    .option('--queue <name>', 'where more than one queue has it')
    .action(async (id: string, { queue }: { queue?: string }) => remove(id, queue, context))
  addHelp(
    command,
    [
      ['runner schedules remove report:nightly', 'also one that somebody else made'],
      ['runner schedules remove report:nightly --queue reports'],
    ],
    ['ok', 'runtime', 'usage', 'redis', 'notFound'],
  )
}

async function remove(id: string, queue: string | undefined, context: CliContext): Promise<void> {
  const config = await context.config()
  await using opened = await openSchedulers(config, context)
  const chosen = choose(opened.all, id, queue)
  if (chosen === undefined || !(await opened.schedulers.remove(chosen.queue, id)))
    throw unknownSchedule(id, queue, opened.all)
  if (chosen.owner !== undefined) context.note('if a file declares it, the next apply makes it again')
  context.print(`removed ${id} from queue ${chosen.queue}`, { schedule: id, queue: chosen.queue })
}
