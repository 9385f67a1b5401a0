/** What is wanted of a queue, from the settings: those of the queue win over those of all. */
import type { Config } from '../config.ts'
import { RunnerError } from '../errors.ts'

/** Times in milliseconds. */
export interface ScaleRules {
  minReplicas: number
  /** undefined: the autoscaler's own is enough. */
  maxReplicas: number | undefined
  /** In how long what waits is to be done. */
  drainTarget: number
  /** How long a job may wait. */
  latencyObjective: number
  /** Taken while nothing was measured. */
  jobTime: number
  /** How long before a delayed job is due it counts. */
  scaleLead: number
}

/** Throws CONFIG_INVALID. */
export function rulesOf(config: Config, queue: string): ScaleRules {
  const own = config.scaling[queue] ?? {}
  const rules = {
    minReplicas: own.minReplicas ?? config.minReplicas,
    maxReplicas: own.maxReplicas ?? config.maxReplicas,
    drainTarget: own.drainTarget ?? config.drainTarget,
    latencyObjective: own.latencyObjective ?? config.latencyObjective,
    jobTime: own.jobTime ?? config.jobTime,
    scaleLead: own.scaleLead ?? config.scaleLead,
  }
  const { minReplicas, maxReplicas = Infinity } = rules
  if (minReplicas > maxReplicas)
    throw new RunnerError(
      'CONFIG_INVALID',
      `queue ${queue}: minReplicas ${minReplicas} is more than maxReplicas ${maxReplicas}`,
      { hint: 'raise --max-replicas, or maxReplicas of the queue under scaling in the config file' },
    )
  return rules
}
