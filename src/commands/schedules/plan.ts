/** `runner schedules plan`: what `apply` would do. Changes nothing. */
import type { Command } from 'commander'
import { EXIT } from '../../errors.ts'
import { Redaction } from '../../job/redaction.ts'
import { planOf } from '../../schedule/plan.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { readDeclarations } from './declarations.ts'
import { openSchedulers } from './open-schedulers.ts'
import { ownerOf } from './owner.ts'
import { planText, stepData } from './plan-text.ts'

export function define(command: Command, context: CliContext): void {
  command
    .option('--check', 'exit 1 when there is something to do, orphans included')
    .action(async ({ check }: { check?: boolean }) => plan(check === true, context))
  addHelp(
    command,
    [
      ['runner schedules plan', 'what is new, what differs and in what, what no file declares any more'],
      ['runner schedules plan --check --json', 'in CI'],
    ],
    ['ok', 'runtime', 'usage', 'redis'],
  )
}

async function plan(check: boolean, context: CliContext): Promise<void> {
  const config = await context.config()
  const declared = await readDeclarations(config)
  const queues = declared.map(({ queue }) => queue)
  await using opened = await openSchedulers(config, context, queues)
  const redaction = new Redaction(config.redact)
  const steps = planOf(declared, opened.all, { owner: ownerOf(config), redaction })
  context.print(planText(steps, redaction, false), steps.map(stepData))
  if (check && steps.some(({ action }) => action !== 'keep')) process.exitCode = EXIT.runtime
}
