/** What is to run where: an environment of the config file, with what the job files and the other settings say. */
import type { Config } from '../config.ts'
import { RunnerError } from '../errors.ts'
import type { JobEntry } from '../job/manifest.ts'
import { didYouMean } from '../suggestion.ts'
import { queueScaling } from './queue-scaling.ts'

type Environment = Config['k8s'][string]
type GroupSettings = Environment['groups'][string]

/** A Deployment of replicas that work the same queues. Times in milliseconds. */
export interface Group extends Omit<GroupSettings, 'queues' | 'grace' | 'executors'> {
  name: string
  /** Of its objects. */
  object: string
  queues: { name: string; concurrency: number }[]
  grace: number
  abortGrace: number
  lockDuration: number | 'auto'
  stalledInterval: number | undefined
  executors: number
}

export interface Plan extends Omit<Environment, 'groups' | 'name'> {
  /** 'prod'. */
  environment: string
  /** 'runner': what the names of objects begin with. */
  app: string
  /** Sorted by name. */
  groups: Group[]
  /** By queue. */
  scaling: Config['scaling']
}

/** Throws CONFIG_INVALID for an environment that the config file does not have, and a group without a queue. */
export function planOf(config: Config, environment: string, jobs: readonly JobEntry[]): Plan {
  const known = Object.keys(config.k8s)
  const settings = config.k8s[environment]
  if (settings === undefined) {
    const form = "k8s: { prod: { image: 'registry/app:1.0.0', namespace: 'jobs' } }"
    throw new RunnerError('CONFIG_INVALID', `--env: the config file has no k8s.${environment}`, {
      hint: known.length === 0 ? form : `it has ${known.join(', ')}`,
      ...didYouMean(environment, known),
    })
  }
  const { groups, name: app, ...rest } = settings
  if (settings.redis.from === 'config' && !config.redisInFile)
    throw new RunnerError(
      'CONFIG_INVALID',
      `k8s.${environment}.redis: from config, and the config file has no redis`,
      {
        hint: 'redis: { sentinels, name } or { cluster } there; --profile <name>, where it is of a profile',
      },
    )
  const named = [...jobs, ...Object.values(config.schedules)].flatMap(({ queue }) => queue ?? [])
  const ofJobs = [...new Set(named)].sort()
  const planned = Object.entries(groups).map(([name, group]) => {
    const queues = group.queues ?? (Object.keys(groups).length === 1 ? ofJobs : [])
    if (queues.length === 0) throw withoutQueue(environment, name, ofJobs)
    const unlisted = queues.find(queue => /[,\s]/.test(queue))
    if (unlisted !== undefined) throw notInList(environment, name, unlisted)
    return planGroup({ name, object: `${app}-${name}`, group, queues }, settings, config)
  })
  planned.sort((a, b) => (a.name < b.name ? -1 : 1))
  const scaling = queueScaling(environment, planned, config)
  return { ...rest, environment, app, groups: planned, scaling }
}

interface GroupNames {
  name: string
  object: string
  group: GroupSettings
  queues: readonly string[]
}

function planGroup(
  { name, object, group, queues }: GroupNames,
  settings: Environment,
  config: Config,
): Group {
  return {
    ...group,
    name,
    object,
    // A pod that is there for one job takes one.
    queues: queues.map(text => {
      const [queue = '', own] = text.split(':')
      return { name: queue, concurrency: group.kind === 'job' ? 1 : Number(own ?? config.concurrency) }
    }),
    grace: group.grace ?? settings.grace ?? config.grace,
    abortGrace: config.abortGrace,
    lockDuration: config.lockDuration,
    stalledInterval: config.stalledInterval,
    executors: group.executors ?? Math.max(2, Math.ceil(group.cpu)),
  }
}

/** Of the jobs: those of the config file are refused before. */
function notInList(environment: string, group: string, queue: string): RunnerError {
  const told = `k8s.${environment}.groups.${group}: the queue ${JSON.stringify(queue)} of the jobs has a comma or a space`
  return new RunnerError('CONFIG_INVALID', told, {
    hint: 'another name for it: variables of pods list queues with commas',
  })
}

function withoutQueue(environment: string, group: string, ofJobs: readonly string[]): RunnerError {
  const hint =
    ofJobs.length === 0
      ? 'there is no job file here: name its queues'
      : `name its queues; the jobs have ${ofJobs.join(', ')}`
  return new RunnerError('CONFIG_INVALID', `k8s.${environment}.groups.${group} has no queues`, { hint })
}
