/** The flags by which jobs are chosen, the same for every verb that takes more than one. */
import { type Command, Option } from 'commander'
import { RunnerError } from '../../errors.ts'
import type { Inspector } from '../../inspector/inspector.ts'
import { collect } from '../collect.ts'
import type { BulkTarget } from '../../inspector/bulk.ts'
import { STATE_NAMES, type State } from '../../inspector/state.ts'
import type { JobFilter } from '../../redis/job-pages.ts'
import { serverTime } from '../../redis/clock.ts'
import { durationOption } from '../../units.ts'

export interface FilterFlags {
  queue?: string[]
  state?: State[]
  name?: string
  since?: string
  limit?: string
}

/** `states`: those that make sense for the verb; the first ones are its default, if it has one. */
export function addFilters(command: Command, states: readonly State[] = STATE_NAMES): Command {
  return command
    .option('--queue <name>', 'repeatable; default: all queues', collect)
    .addOption(
      new Option('--state <state>', 'repeatable')
        .choices(states)
        .argParser((value: string, previous: string[] | undefined) => {
          if (!states.includes(value as State))
            throw new RunnerError('USAGE', `--state: expected ${states.join(', ')}, got ${value}`)
          return collect(value, previous)
        }),
    )
    .option('--name <job>', 'only jobs of exactly this name')
    .option('--since <time>', 'of finished jobs: that ended in the last 1h, say; of others: that were added')
    .option('--limit <n>', 'so many jobs at most')
}

export function hasFilter({ queue, state, name, since }: FilterFlags): boolean {
  return [queue, state, name, since].some(flag => flag !== undefined)
}

/** `since` counts back from the clock of Redis, which all replicas share. */
export async function filterOf({ client }: Inspector, { name, since }: FilterFlags): Promise<JobFilter> {
  return {
    ...(name === undefined ? {} : { name }),
    ...(since === undefined ? {} : { since: (await serverTime(client)) - durationOption('--since', since) }),
  }
}

export function limitOf({ limit }: Pick<FilterFlags, 'limit'>, fallback: number): number {
  if (limit === undefined) return fallback
  if (/^\d+$/.test(limit) && Number(limit) > 0) return Number(limit)
  throw new RunnerError('USAGE', `--limit: expected a whole number from 1, got ${limit}`)
}

/** One target for each queue and state. Throws QUEUE_UNKNOWN. */
export async function targetsOf(
  inspector: Inspector,
  { queue = [], state }: FilterFlags,
  states: readonly State[],
): Promise<BulkTarget[]> {
  const queues = await inspector.choose(queue)
  return queues.flatMap(name =>
    (state ?? states).map(one => ({ queue: name, base: inspector.baseOf(name), state: one })),
  )
}
