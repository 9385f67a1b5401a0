/** `runner migrations pause`, `resume` and `cancel`: each is one move of one run. */
import type { Command } from 'commander'
import { userName } from '../user-name.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { Ledgers, RUN_ARGUMENT } from '../../steering/ledgers.ts'
import { ring } from './ring.ts'
import { moveRun, type Move } from '../../steering/moves.ts'

export function defineMove(command: Command, context: CliContext, move: Move): void {
  command.argument(...RUN_ARGUMENT).action(async (run: string) => steer(run, context, move))
  addHelp(
    command,
    [
      [`runner migrations ${move.verb} migrate-users`],
      [`runner migrations ${move.verb} migrate-users-3f9a2c`],
    ],
    ['ok', 'runtime', 'usage', ...(move.rings === undefined ? [] : (['redis'] as const)), 'notFound'],
  )
}

async function steer(idOrName: string, context: CliContext, move: Move): Promise<void> {
  const config = await context.config()
  await using ledgers = await Ledgers.open(config)
  const found = await ledgers.find(idOrName)
  await moveRun(move, found, { by: userName(), ring: (one, part) => ring(config, one, part, context) })
  context.print(move.done(found.run), { run: found.run.id, state: move.to })
}
