/**
 * The verbs that change jobs: some by id, or all that a filter lets pass. The second has to be confirmed, shows how far
 * it is, and can be broken off between two jobs.
 */
import type { Command } from 'commander'
import { EXIT, messageOf, RunnerError } from '../../errors.ts'
import { bulk, type BulkCounts, type BulkTarget, type Change, type Changed } from '../../inspector/bulk.ts'
import { Inspector } from '../../inspector/inspector.ts'
import type { State } from '../../inspector/state.ts'
import { countOf, walk } from '../../inspector/walk.ts'
import { openRedis, type RedisHandle } from '../../redis/connection.ts'
import type { Config } from '../../config.ts'
import { breakable } from '../breakable.ts'
import { confirm } from '../confirm.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { addFilters, filterOf, hasFilter, limitOf, targetsOf, type FilterFlags } from './filter.ts'

/** Ids that a dry run shows. */
const SAMPLE = 5

interface SteerFlags extends FilterFlags {
  dryRun?: true
  yes?: true
}

export interface SteerVerb {
  /** 'retry', 'retried'. */
  verb: string
  past: string
  /** In which a job may be; by filter, all of `byDefault` unless --state says which. Without it --state is a must. */
  states: readonly State[]
  byDefault?: readonly State[]
  examples: readonly (readonly [string, string?])[]
  exits?: readonly (keyof typeof EXIT)[]
  /** Made once for a call. */
  open: (
    redis: RedisHandle,
    inspector: Inspector,
    config: Config,
  ) => { change: Change } & Partial<AsyncDisposable>
}

export function defineSteer(command: Command, context: CliContext, verb: SteerVerb): void {
  command.argument('[id...]', 'jobs; or choose them by the flags below')
  addFilters(command, verb.states)
    .option('--dry-run', 'say how many there are, and change nothing')
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .action(async (ids: string[], flags: SteerFlags) => steer(ids, flags, verb, context))
  addHelp(command, verb.examples, [
    'ok',
    'runtime',
    'usage',
    'partial',
    'redis',
    'notFound',
    ...(verb.exits ?? []),
    'forced',
  ])
}

async function steer(
  ids: readonly string[],
  flags: SteerFlags,
  verb: SteerVerb,
  context: CliContext,
): Promise<void> {
  if (ids.length > 0 && [flags.state, flags.name, flags.since, flags.limit].some(flag => flag !== undefined))
    throw new RunnerError('USAGE', 'ids or filters, not both: of the filters, ids go with --queue only')
  if (ids.length === 0 && !hasFilter(flags))
    throw new RunnerError(
      'USAGE',
      `say which jobs to ${verb.verb}: ids, or --queue, --state, --name, --since`,
    )
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  await using inspector = new Inspector(redis)
  const work = verb.open(redis, inspector, config)
  try {
    if (ids.length > 0) await steerEach(ids, flags, verb, inspector, work.change, context)
    else await steerAll(flags, verb, inspector, work.change, context)
  } finally {
    await work[Symbol.asyncDispose]?.()
  }
}

/** One after the other; of one alone, its error is that of the command. */
async function steerEach(
  ids: readonly string[],
  { queue = [], dryRun }: SteerFlags,
  { verb, past, states }: SteerVerb,
  inspector: Inspector,
  change: Change,
  context: CliContext,
): Promise<void> {
  const rows: { queue?: string; id: string; done: boolean; error?: string }[] = []
  const lines: string[] = []
  for (const id of ids) {
    try {
      const of = await inspector.queueOf(id, queue)
      const state = (await inspector.queue(of).getJobState(id)) as State
      if (!states.includes(state))
        throw new RunnerError('JOB_STATE_WRONG', `job ${id} of queue ${of} is ${state}`, {
          hint: `${verb} is for jobs that are ${states.join(', ')}`,
        })
      const target = { queue: of, base: inspector.baseOf(of), state }
      const { gone, said, data }: Changed = dryRun === true ? {} : await change(target, id)
      if (gone === true)
        throw new RunnerError('JOB_STATE_WRONG', `job ${id} of queue ${of} is not ${state} any more`)
      rows.push({ queue: of, id, done: true, ...data })
      lines.push(`${of} ${id}: ${dryRun === true ? `would be ${past}` : (said ?? past)}`)
    } catch (error) {
      if (ids.length === 1) throw error
      rows.push({ id, done: false, error: messageOf(error) })
      lines.push(`${id}: not ${past}: ${messageOf(error)}`)
    }
  }
  context.print(lines.join('\n'), rows)
  const done = rows.filter(row => row.done).length
  if (done < rows.length) process.exitCode = done === 0 ? EXIT.runtime : EXIT.partial
}

async function steerAll(
  flags: SteerFlags,
  { verb, past, byDefault }: SteerVerb,
  inspector: Inspector,
  change: Change,
  context: CliContext,
): Promise<void> {
  if (flags.state === undefined && byDefault === undefined)
    throw new RunnerError('USAGE', `say which jobs to ${verb} by --state, too`)
  const targets = await targetsOf(inspector, flags, byDefault ?? [])
  const filter = await filterOf(inspector, flags)
  const limit = limitOf(flags, Infinity)
  const { client } = inspector
  if (flags.dryRun === true) {
    const { matching, sample } = await count(inspector, targets, filter, limit)
    const shown = sample.length === 0 ? '' : `, such as ${sample.join(', ')}`
    context.print(`${matching} would be ${past}${shown}`, { matching, sample })
    return
  }
  const counts = await Promise.all(targets.map(({ base, state }) => countOf(client, base, state)))
  const most = Math.min(
    limit,
    counts.reduce((sum, one) => sum + one, 0),
  )
  const some = filter.name === undefined && filter.since === undefined ? most : `up to ${most}`
  if (flags.yes !== true) await confirm(`${verb} ${some} jobs?`)
  const { result, broken } = await breakable(context.note, (signal, show) =>
    bulk(client, targets, {
      filter,
      limit,
      signal,
      change,
      onProgress: ({ done, failed }) =>
        show(`${done} ${past}${failed === 0 ? '' : `, ${failed} failed`} of ${some}`),
    }),
  )
  conclude(result, broken, past, context)
}

function conclude(counts: BulkCounts, broken: boolean, past: string, context: CliContext): void {
  const { done, gone, failed, reason } = counts
  const parts = [`${done} ${past}`]
  if (gone > 0) parts.push(`${gone} were gone or moved by then`)
  if (failed > 0) parts.push(`${failed} failed, the first by ${reason}`)
  if (broken) parts.push('broken off: the others are as they were, the same command goes on')
  context.print(parts.join('; '), { ...counts, broken })
  if (!broken && failed > 0) process.exitCode = done === 0 ? EXIT.runtime : EXIT.partial
}

async function count(
  { client }: Inspector,
  targets: readonly BulkTarget[],
  filter: Parameters<typeof walk>[3],
  limit: number,
): Promise<{ matching: number; sample: string[] }> {
  let matching = 0
  const sample: string[] = []
  for (const { queue, base, state } of targets) {
    for await (const { ids } of walk(client, base, state, filter)) {
      matching += ids.length
      sample.push(...ids.slice(0, SAMPLE - sample.length).map(id => `${queue} ${id}`))
      if (matching >= limit) return { matching: limit, sample }
    }
  }
  return { matching, sample }
}
