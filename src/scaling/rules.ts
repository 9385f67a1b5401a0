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

/** Throws CONFIG_INVALID for what no queue could be scaled by: of all, and of each that has rules of its own. */
export function requireRules(config: Config): void {
  requireRoom('of all queues', config)
  for (const queue of Object.keys(config.scaling)) rulesOf(config, queue)
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
  requireRoom(`queue ${queue}`, rules)
  return rules
}

function requireRoom(
  whose: string,
  { minReplicas, maxReplicas = Infinity }: Pick<ScaleRules, 'minReplicas' | 'maxReplicas'>,
): void {
  if (minReplicas > maxReplicas)
    throw new RunnerError(
      'CONFIG_INVALID',
      `${whose}: minReplicas ${minReplicas} is more than maxReplicas ${maxReplicas}`,
      { hint: 'raise --max-replicas, or maxReplicas of the queue under scaling in the config file' },
    )
}
