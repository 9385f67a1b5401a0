/** What a replica says of itself: a summary with every beat, and all of it when it is asked for a dump. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Config } from '../config.ts'
import type { JobEntry } from '../job/manifest.ts'
import type { BlockedRun, HandlerVersion, Replica } from '../redis/replicas.ts'
import type { Block } from './block.ts'
import type { BlockPolicy } from './block-policy.ts'
import type { ReplicaDump, RunningJob } from './command.ts'
import type { LoopDelay } from './loop-delay.ts'
import type { Pool } from './pool.ts'
import type { QueueWorkers } from './queue-workers.ts'
import type { Rates } from './rates.ts'
import { residentBytes } from './rss.ts'
import type { Run } from './run.ts'

export type ReplicaState = Omit<Replica, 'id' | 'host' | 'pid' | 'version' | 'startedAt'>

/** The parts of a supervisor that are looked at. */
interface Parts {
  readonly workers: QueueWorkers
  readonly pool: Pool
  readonly runs: ReadonlySet<Run>
  readonly quiet: boolean
  readonly jobs: ReadonlyMap<string, JobEntry>
  readonly handlers: Record<string, HandlerVersion>
  readonly blocking: BlockPolicy
  readonly rates: Rates
  readonly loop: LoopDelay
}

export async function stateOf(parts: Parts, config: Config): Promise<ReplicaState> {
  const { workers, pool, runs, quiet, jobs, blocking, handlers, rates } = parts
  const { maxStalledCount, grace, blockLimit, abortGrace, isolation } = config
  return {
    queues: workers.concurrency,
    jobs: [...jobs.keys()],
    handlers,
    executors: pool.executors.length,
    isolation,
    running: runs.size,
    rates: rates.look(),
    rss: await memoryOf(pool),
    blocked: blocking.blocks.map(block => {
      const { stack: _, ...rest } = blockedRun(block)
      return rest
    }),
    quiet,
    terms: { maxStalledCount, grace, blockLimit, abortGrace, locks: workers.locks },
  }
}

export async function dumpOf({ pool, runs, blocking, loop }: Parts): Promise<ReplicaDump> {
  return {
    running: [...runs].map(run => runningJob(run, pool.holderOf(run)?.id)),
    executors: pool.executors.map(({ id, state, runs: held, served, late, pid }) => ({
      id,
      state,
      running: held.size,
      served,
      late,
      ...(pid === undefined ? {} : { pid }),
    })),
    blocked: blocking.blocks.map(blockedRun),
    abandoned: pool.abandoned,
    rss: await memoryOf(pool),
    loop: loop.late,
  }
}

/** Of each handler, as it was loaded. A file that is gone since has an empty sum. */
export function versionsOf(entries: Iterable<JobEntry>): Record<string, HandlerVersion> {
  const versions: Record<string, HandlerVersion> = {}
  for (const { name, file, schema } of entries)
    versions[name] = { schema: sum(JSON.stringify(schema ?? null)), file: sum(textOf(file)) }
  return versions
}

function runningJob(
  { job, startedAt, aborted, cancelReason }: Run,
  executor: number | undefined,
): RunningJob {
  const why = cancelReason === undefined ? aborted : 'cancelled'
  return {
    queue: job.queueName,
    job: job.name,
    id: job.id,
    attempt: job.attemptsMade + 1,
    fence: job.attemptsStarted,
    ms: startedAt === 0 ? 0 : Date.now() - startedAt,
    ...(executor === undefined ? {} : { executor }),
    ...(why === undefined ? {} : { aborted: why }),
  }
}

function blockedRun(block: Block): BlockedRun {
  const { executor, since, where, job, stack } = block
  return {
    executor: executor.id,
    ms: Math.round(performance.now() - since),
    where,
    ...(job === undefined ? {} : { queue: job.queue, job: job.name, id: job.id }),
    ...(stack === undefined ? {} : { stack }),
  }
}

function memoryOf(pool: Pool): Promise<number> {
  return residentBytes(pool.executors.flatMap(({ pid }) => pid ?? []))
}

function sum(text: string): string {
  return text === '' ? '' : createHash('sha256').update(text).digest('hex').slice(0, 12)
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
