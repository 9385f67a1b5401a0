/** Through the jobs of a queue that a filter lets pass, page by page: any number of them, without holding them. */
import type { Client } from '../redis/client.ts'
import { JobPages, type JobFilter, type Page } from '../redis/job-pages.ts'
import { STATES, type State } from './state.ts'

/** Jobs looked at in one step. Redis takes some milliseconds for it. */
const PAGE = 2_000

export interface WalkOptions extends JobFilter {
  /** Sorted states only; lists go newest first. Default false. */
  oldestFirst?: boolean
  /** Of finished jobs: those that ended later are not met. Milliseconds since the epoch. */
  until?: number
  /** How many of a list were taken out meanwhile by whoever walks. */
  taken?: () => number
}

/** Ids of one state. `base`: what the keys of the queue begin with. */
export async function* walk(
  client: Client,
  base: string,
  state: State,
  { oldestFirst = false, until, taken = () => 0, ...filter }: WalkOptions,
): AsyncGenerator<Page> {
  const pages = new JobPages(client, base)
  for (const place of STATES[state]) {
    if (place.kind === 'list') yield* pages.listed(place.key, filter, PAGE, taken)
    else
      yield* pages.sorted(place.key, filter, {
        oldestFirst,
        scored: 'scored' in place,
        size: PAGE,
        ...(until === undefined ? {} : { until }),
      })
  }
}

/** All of one state, whatever their names. */
export async function countOf(client: Client, base: string, state: State): Promise<number> {
  const pages = new JobPages(client, base)
  const counts = await Promise.all(STATES[state].map(({ key, kind }) => pages.count(key, kind === 'sorted')))
  return counts.reduce((sum, one) => sum + one, 0)
}
