/** `runner schedules run <schedule>`: its job, now, once. The schedule itself goes on as it would have. */
import type { Command } from 'commander'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { choose, unknownSchedule } from './chosen.ts'
import { readDeclarations } from './declarations.ts'
import { openSchedulers } from './open-schedulers.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument('<schedule>', 'as `list` shows it: the name of the job, or <job>:<key>')
    .option('--queue <name>', 'where more than one queue has it')
    .action(async (id: string, { queue }: { queue?: string }) => run(id, queue, context))
  addHelp(
    command,
    [
      ['runner schedules run report:nightly', 'with the args and the options that the schedule has in Redis'],
      ['runner schedules run report:nightly --queue reports --json'],
    ],
    ['ok', 'runtime', 'usage', 'redis', 'notFound'],
  )
}

async function run(id: string, queue: string | undefined, context: CliContext): Promise<void> {
  const config = await context.config()
  await using opened = await openSchedulers(config, context)
  const present = choose(opened.all, id, queue)
  // What Redis has is what would run. Only one that it does not have is looked for in the files.
  const declared = present === undefined ? await readDeclarations(config) : []
  const chosen = present ?? choose(declared, id, queue)
  if (chosen === undefined) throw unknownSchedule(id, queue, [...opened.all, ...declared])
  if (present === undefined)
    context.note(`${id} is declared, but not in Redis yet: runner schedules apply puts it there`)
  const added = await opened.schedulers.runNow({ ...chosen, options: { ...chosen.options } })
  context.print(`enqueued ${chosen.job} ${added} on queue ${chosen.queue}`, {
    id: added,
    name: chosen.job,
    queue: chosen.queue,
    schedule: id,
  })
}
