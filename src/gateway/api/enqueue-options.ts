/** Options of a job, or of a run of a migration, as query parameters give them. */
import type { z } from 'zod'
import { RunnerError } from '../../errors.ts'
import type { EnqueueOptions } from '../../job/context.ts'
import type { JobEntry } from '../../job/manifest.ts'
import { durationOption } from '../../units.ts'
import type { RunRequest } from '../../steering/enrolment.ts'
import type { enqueueQuery } from './schemas.ts'

export type EnqueueQuery = z.output<typeof enqueueQuery>

const OF_RUNS = ['reason', 'shards', 'again'] as const
const OF_JOBS = ['delay', 'priority', 'attempts', 'id', 'dedupe'] as const

/** Throws USAGE for those of the other kind: they would be without effect. */
export function requireKind(query: EnqueueQuery, { name, migration }: JobEntry): void {
  const others = migration === undefined ? OF_RUNS : OF_JOBS
  const wrong = others.find(option => query[option] !== undefined)
  if (wrong === undefined) return
  const what = migration === undefined ? 'no migration' : 'a migration'
  throw new RunnerError('USAGE', `${wrong}: ${name} is ${what}, and does not take it`)
}

/** As `toJobsOptions` takes them. */
export function jobOptionsOf({ id, delay, priority, attempts, dedupe }: EnqueueQuery): EnqueueOptions {
  return {
    ...(id !== undefined && { id }),
    ...(delay !== undefined && { delay: durationOption('delay', delay) }),
    ...(priority !== undefined && { priority }),
    ...(attempts !== undefined && { attempts }),
    ...(dedupe !== undefined && { dedupe }),
  }
}

export function runOptionsOf({ reason, shards, again }: EnqueueQuery): Omit<RunRequest, 'payload' | 'by'> {
  if (shards === 0) throw new RunnerError('USAGE', 'shards: expected 1 to 10000, got 0')
  return { reason, shards, again: again === 'true' }
}
