/** A checked payload becomes a job on its queue, or the run of a migration. */
import { createHash } from 'node:crypto'
import { databasesOf, type Config } from '../../config.ts'
import { addJob } from '../../enqueue/addition.ts'
import { chooseQueue, namedQueue } from '../../enqueue/queue-choice.ts'
import { RunnerError } from '../../errors.ts'
import { toJobsOptions } from '../../job/enqueue-options.ts'
import { DEFAULT_QUEUE } from '../../job/load.ts'
import type { JobEntry } from '../../job/manifest.ts'
import { openLedgerOf } from '../../migration/databases.ts'
import { begins, enrol, requirePredecessors, type MigrationEntry } from '../../steering/enrolment.ts'
import { ring } from '../../steering/ring.ts'
import { didYouMean } from '../../suggestion.ts'
import type { JobCatalog } from '../job-catalog.ts'
import { requireQueueName } from '../queue-name.ts'
import type { Reached } from '../reach.ts'
import { jobOptionsOf, runOptionsOf, type EnqueueQuery } from './enqueue-options.ts'

/** What is told of it, and where it can be looked at. */
export interface Placed {
  body: { name: string; queue: string; added: boolean } & (
    | { id: string }
    | { run: string; enrolment: string }
  )
  location: string
}

export interface Placement {
  config: Config
  catalog: JobCatalog
  reached: Reached
  entry: JobEntry
  query: EnqueueQuery
  /** Who is written down with the run of a migration. */
  by: string
}

/**
 * Where the job goes: where the request, or its file, says, else where its name is worked. Throws QUEUE_UNKNOWN for a queue
 * that no job file names, nobody works and Redis does not have: a job there would wait for ever.
 */
export async function queueFor({ catalog, reached, entry, query }: Placement): Promise<string> {
  const given = query.queue === undefined ? undefined : requireQueueName(query.queue)
  const named = namedQueue(given, entry)
  if (named !== undefined && named === entry.queue) return named
  const live = await reached.replicas.list()
  if (named === undefined) return chooseQueue(entry.name, live).queue
  const known = new Set([DEFAULT_QUEUE, ...live.flatMap(({ queues }) => Object.keys(queues))])
  for (const { queue } of await catalog.entries()) known.add(queue)
  if (known.has(named) || (await reached.client.exists(`${reached.inspector.baseOf(named)}meta`)) === 1)
    return named
  throw new RunnerError('QUEUE_UNKNOWN', `there is no queue ${named}, and nobody works one`, {
    ...didYouMean(named, known),
  })
}

/** `key`: the id that a job has which was given none. */
export async function place(
  placement: Placement,
  queue: string,
  payload: unknown,
  key: string | undefined,
): Promise<Placed> {
  const { entry } = placement
  if (entry.migration !== undefined)
    return beginRun(placement, { ...entry, migration: entry.migration, queue }, payload)
  const given = jobOptionsOf(placement.query)
  const id = given.id ?? (key === undefined ? undefined : idOf(key))
  const options = toJobsOptions(entry, { ...given, ...(id !== undefined && { id }) })
  const addition = await addJob(placement.reached.queue(queue), entry.name, payload, options)
  return {
    body: { ...addition, queue },
    location: `/v1/jobs/${encodeURIComponent(queue)}/${encodeURIComponent(addition.id)}`,
  }
}

/** Everything about options that can be wrong, before anything is written. Throws USAGE, JOB_UNKNOWN. */
export function requirePlaceable({
  config,
  entry,
  query,
}: Pick<Placement, 'config' | 'entry' | 'query'>): void {
  if (entry.migration === undefined) toJobsOptions(entry, jobOptionsOf(query))
  else {
    runOptionsOf(query)
    requirePredecessors(config, entry as MigrationEntry)
  }
}

async function beginRun(
  { config, reached, query, by }: Placement,
  entry: MigrationEntry,
  payload: unknown,
): Promise<Placed> {
  const { database = 'default' } = entry.migration
  const ledger = await openLedgerOf(database, databasesOf(config))
  try {
    const { run, enrolment } = await enrol(ledger, entry, { payload, by, ...runOptionsOf(query) })
    const added = begins(enrolment)
    if (added) await ring(reached.queue(run.queue), run, 'plan')
    return {
      body: { run: run.id, name: run.name, queue: run.queue, enrolment, added },
      location: `/v1/migrations/${encodeURIComponent(run.id)}`,
    }
  } finally {
    await ledger.db.close()
  }
}

/** The same key, the same id: what was added by a try that nobody heard the end of is not added again. */
const idOf = (key: string): string => `idem-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`
