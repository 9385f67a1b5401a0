/** `runner schedules list`: every schedule in Redis, whoever made it. */
import { type Command, InvalidArgumentError } from 'commander'
import { Redaction } from '../../job/redaction.ts'
import { nextRuns } from '../../schedule/next-runs.ts'
import { overdueOf } from '../../schedule/overdue.ts'
import type { Scheduler } from '../../schedule/schedulers.ts'
import { textTable } from '../../table.ts'
import { formatMilliseconds } from '../../units.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { openSchedulers } from './open-schedulers.ts'

const COLUMNS = ['SCHEDULE', 'JOB', 'QUEUE', 'WHEN', 'TIMEZONE', 'BY', 'JOBS', 'NEXT', '']
const MOST = 1_000

export function define(command: Command, context: CliContext): void {
  command
    .option('--next <n>', 'how many of the next runs are shown', count, 1)
    .action(async ({ next }: { next: number }) => list(next, context))
  addHelp(
    command,
    [
      ['runner schedules list', 'and which are overdue, and why'],
      ['runner schedules list --next 5'],
      ['runner schedules list --json'],
    ],
    ['ok', 'runtime', 'usage', 'redis'],
  )
}

async function list(next: number, context: CliContext): Promise<void> {
  const config = await context.config()
  await using opened = await openSchedulers(config, context)
  const redaction = new Redaction(config.redact)
  const now = Date.now()
  const data = opened.all.map(one => ({
    ...one,
    args: redaction.apply(one.args),
    next: nextRuns(one, next).map(time => new Date(time).toISOString()),
    overdue: overdueOf(one, now) ?? null,
  }))
  const rows = data.flatMap(one => {
    const [first = '', ...more] = one.next
    return [[...cellsOf(one), first, overdueText(one.overdue)], ...more.map(time => [...BLANK, time])]
  })
  context.print(rows.length === 0 ? 'no schedule is in Redis' : textTable([COLUMNS, ...rows]), data)
}

type Shown = Omit<Scheduler, 'next'>

const cellsOf = ({ id, job, queue, cron, every, timezone, owner, made }: Shown): string[] => [
  id,
  job,
  queue,
  every === undefined ? (cron ?? '') : `every ${formatMilliseconds(every)}`,
  timezone ?? '',
  owner ?? '',
  String(made),
]
const BLANK = COLUMNS.slice(0, -2).map(() => '')

const overdueText = (overdue: { by: number; reason: string } | null): string =>
  overdue === null ? '' : `overdue by ${formatMilliseconds(overdue.by)}: ${overdue.reason}`

function count(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= MOST) return value
  throw new InvalidArgumentError(`expected 1 to ${MOST}`)
}
