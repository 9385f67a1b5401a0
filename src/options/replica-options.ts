/** How a replica works. */
import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { duration, size } from '../units.ts'
import { count, flag, list, option, timer, wordOr, type Option } from './option.ts'

/**
 * With a sweep every half of it, a killed replica's jobs are run again within 12 s, and a renewal may be 4 s late: far
 * more than it was with both cores of a machine taken (`npm run bench -- --only recovery`).
 */
export const DEFAULT_LOCK_DURATION = '8s'

export const REPLICA_OPTIONS = {
  queues: option(
    'work',
    '--queue <name[:n]>',
    'RUNNER_QUEUES',
    list,
    [],
    'queue to work, with its own concurrency, repeatable. Default: all that the jobs name',
  ),
  concurrency: option(
    'work',
    '--concurrency <n>',
    'RUNNER_CONCURRENCY',
    count.min(1).max(10_000),
    10,
    'jobs at once in each queue that names no number of its own',
  ),
  executors: option(
    'work',
    '--executors <n>',
    'RUNNER_EXECUTORS',
    count.min(1).max(256),
    availableParallelism(),
    'threads (or processes) that run handlers',
  ),
  isolation: option(
    'work',
    '--isolation <kind>',
    'RUNNER_ISOLATION',
    z.enum(['thread', 'process']),
    'thread',
    'thread, or process for native add-ons and hard kills',
  ),
  executorMemory: option(
    'work',
    '--executor-memory <size>',
    'RUNNER_EXECUTOR_MEMORY',
    wordOr('auto', size()),
    'auto',
    'JavaScript heap of one executor; beyond it the job fails, not the worker. auto: 1GiB, less where a container has less',
  ),
  executorMaxJobs: option(
    'work',
    '--executor-max-jobs <n>',
    'RUNNER_EXECUTOR_MAX_JOBS',
    count.min(1).optional(),
    undefined,
    'replace an executor after so many jobs; it finishes what it holds',
  ),
  maxRss: option(
    'work',
    '--max-rss <size>',
    'RUNNER_MAX_RSS',
    size().optional(),
    undefined,
    'memory of the replica with its executors; beyond it they are replaced one at a time',
  ),
  lockDuration: option(
    'work',
    '--lock-duration <time>',
    'RUNNER_LOCK_DURATION',
    wordOr('auto', timer('1s')),
    DEFAULT_LOCK_DURATION,
    'how long a job stays locked when its replica dies; auto: by what was measured, 4s to 60s',
  ),
  stalledInterval: option(
    'work',
    '--stalled-interval <time>',
    'RUNNER_STALLED_INTERVAL',
    timer('100ms').optional(),
    undefined,
    'how often jobs of dead replicas are looked for; default: half of the lock duration',
  ),
  maxStalledCount: option(
    'work',
    '--max-stalled <n>',
    'RUNNER_MAX_STALLED',
    count.min(0),
    3,
    'how many replicas may die under a job before it is failed',
  ),
  grace: option(
    'work',
    '--grace <time>',
    'RUNNER_GRACE',
    duration(),
    '25s',
    'at shutdown, how long running jobs may go on before they are handed back',
  ),
  abortGrace: option(
    'work',
    '--abort-grace <time>',
    'RUNNER_ABORT_GRACE',
    duration(),
    '1s',
    'how long a handler may go on after its signal aborted; then its executor ends',
  ),
  blockWarn: option(
    'work',
    '--block-warn <time>',
    'RUNNER_BLOCK_WARN',
    timer('500ms'),
    '1s',
    'a handler that holds its event loop for so long is reported, with the line',
  ),
  blockLimit: option(
    'work',
    '--block-limit <time>',
    'RUNNER_BLOCK_LIMIT',
    wordOr('false', timer('500ms')).transform(limit => (limit === 'false' ? false : limit)),
    '5m',
    'a handler that holds its event loop for so long fails, and its executor ends; false: never',
  ),
  wedgedAfter: option(
    'work',
    '--wedged-after <time>',
    'RUNNER_WEDGED_AFTER',
    timer('15s').optional(),
    undefined,
    'work waits, slots are free and nothing is fetched for so long: no longer alive. Default: 60s, or two lock durations',
  ),
  maxJobs: option(
    'work',
    '--max-jobs <n>',
    'RUNNER_MAX_JOBS',
    count.min(1).optional(),
    undefined,
    'stop after so many jobs',
  ),
  maxTime: option(
    'work',
    '--max-time <time>',
    'RUNNER_MAX_TIME',
    duration().optional(),
    undefined,
    'stop after so long',
  ),
  idleTimeout: option(
    'work',
    '--idle-timeout <time>',
    'RUNNER_IDLE_TIMEOUT',
    duration().optional(),
    undefined,
    'stop after so long without a job',
  ),
  drain: option('work', '--drain', 'RUNNER_DRAIN', flag, false, 'stop when the queues are empty'),
  allowBroken: option(
    'work',
    '--allow-broken',
    'RUNNER_ALLOW_BROKEN',
    flag,
    false,
    'start although some job files do not load',
  ),
} as const satisfies Record<string, Option>
