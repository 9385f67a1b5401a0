/** `runner schedules apply`: the schedules in Redis become those of the files. May be run by many at once. */
import type { Command } from 'commander'
import { Redaction } from '../../job/redaction.ts'
import { applyPlan } from '../../schedule/apply.ts'
import { planOf } from '../../schedule/plan.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { readDeclarations } from './declarations.ts'
import { openSchedulers } from './open-schedulers.ts'
import { ownerOf } from './owner.ts'
import { DONE, planText, stepData } from './plan-text.ts'

interface ApplyFlags {
  prune?: boolean
  dryRun?: boolean
}

export function define(command: Command, context: CliContext): void {
  command
    .option('--prune', 'remove those that this project made and no file declares any more')
    .option('--dry-run', 'only say what would be done')
    .action(async (flags: ApplyFlags) => apply(flags, context))
  addHelp(
    command,
    [
      ['runner schedules apply', 'at each deployment; what is as declared is left alone'],
      ['runner schedules apply --prune --dry-run'],
      ['runner schedules apply --prune'],
    ],
    ['ok', 'runtime', 'usage', 'redis'],
  )
}

async function apply({ prune = false, dryRun = false }: ApplyFlags, context: CliContext): Promise<void> {
  const config = await context.config()
  const declared = await readDeclarations(config)
  const queues = declared.map(({ queue }) => queue)
  await using opened = await openSchedulers(config, context, queues)
  const owner = ownerOf(config)
  const redaction = new Redaction(config.redact)
  const steps = planOf(declared, opened.all, { owner, redaction })
  if (dryRun) return context.print(planText(steps, redaction, prune), steps.map(stepData))
  const done = await applyPlan(steps, opened.schedulers, { owner, prune })
  const left = steps.filter(step => step.action === 'orphan' && !prune).map(stepData)
  const kept = steps.filter(({ action }) => action === 'keep').length
  const lines = done.map(step => {
    const { action, id, queue } = stepData(step)
    return `${DONE[action]} ${id} on queue ${queue}`
  })
  if (kept > 0 || lines.length === 0) lines.push(`${kept} as declared`)
  context.print(lines.join('\n'), { done: done.map(stepData), kept, left })
  if (left.length > 0)
    context.note(`no file declares ${left.map(({ id }) => id).join(', ')} any more: --prune removes them`)
}
