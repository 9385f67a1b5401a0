/** How many replicas a queue is said to need. */
import { z } from 'zod'
import { duration } from '../units.ts'
import { count, option, timer, type Option } from './option.ts'

const MIN = count.min(0).max(10_000)
const MAX = count.min(1).max(10_000)

/** Of one queue. What it leaves out is as it is for all. */
const queueScaling = z.strictObject({
  minReplicas: MIN.optional(),
  maxReplicas: MAX.optional(),
  drainTarget: timer('1s').optional(),
  latencyObjective: timer('1s').optional(),
  jobTime: timer('1ms').optional(),
  scaleLead: duration().optional(),
  /** Jobs at once in a replica, while none is live to be asked. */
  concurrency: count.min(1).max(10_000).optional(),
})

const scaling = z.record(z.string(), queueScaling)

/** An object, or a variable with its JSON. */
const scalingOrJson = z.preprocess((value: z.input<typeof scaling> | string, ctx): unknown => {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value) as unknown
  } catch {
    ctx.addIssue('expected JSON such as {"mail":{"maxReplicas":20}}')
    return z.NEVER
  }
}, scaling)

export const SCALE_OPTIONS = {
  minReplicas: option(
    'scale',
    '--min-replicas <n>',
    'RUNNER_MIN_REPLICAS',
    MIN,
    0,
    'replicas that are wanted at least; the autoscaler has a minimum of its own',
  ),
  maxReplicas: option(
    'scale',
    '--max-replicas <n>',
    'RUNNER_MAX_REPLICAS',
    MAX.optional(),
    undefined,
    'replicas that are wanted at most; the autoscaler has a maximum of its own',
  ),
  drainTarget: option(
    'scale',
    '--drain-target <time>',
    'RUNNER_DRAIN_TARGET',
    timer('1s'),
    '60s',
    'in how long what waits is to be done: half of it asks for twice the replicas',
  ),
  latencyObjective: option(
    'scale',
    '--latency-objective <time>',
    'RUNNER_LATENCY_OBJECTIVE',
    timer('1s'),
    '60s',
    'how long a job may wait; beyond it one replica more is wanted than the rest asks for',
  ),
  jobTime: option(
    'scale',
    '--job-time <time>',
    'RUNNER_JOB_TIME',
    timer('1ms'),
    '1s',
    'how long a job takes, while no replica has measured it',
  ),
  scaleLead: option(
    'scale',
    '--scale-lead <time>',
    'RUNNER_SCALE_LEAD',
    duration(),
    '45s',
    'how long before a delayed job is due a replica is wanted: until the autoscaler asks again, and a pod has started',
  ),
  scaling: option(
    'scale',
    undefined,
    'RUNNER_SCALING',
    scalingOrJson,
    {},
    'the same for single queues, in the variable as JSON: { mail: { maxReplicas: 20, drainTarget: "30s", concurrency: 5 } }',
  ),
} as const satisfies Record<string, Option>
