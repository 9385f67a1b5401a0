/** What is done about the schedules of a replica that has started: `work` says what Redis lacks, `dev` puts it there. */
import type { Config } from '../../config.ts'
import { openLoader } from '../../job/loader.ts'
import type { JobEntry, JobFile } from '../../job/manifest.ts'
import { Redaction } from '../../job/redaction.ts'
import type { RedisHandle } from '../../redis/connection.ts'
import { applyPlan } from '../../schedule/apply.ts'
import { declaredSchedules, type Declared } from '../../schedule/declared.ts'
import { planOf, type Step } from '../../schedule/plan.ts'
import { Schedulers } from '../../schedule/schedulers.ts'
import { jobFiles } from '../../enqueue/job-files.ts'
import { queueNames } from '../../redis/queue-names.ts'
import { examine, refuseFaults } from './declarations.ts'
import { ownerOf } from './owner.ts'
import { DONE, stepData } from './plan-text.ts'

export interface StartedReplica {
  config: Config
  redis: RedisHandle
  /** That it has handlers for. */
  jobs: readonly JobEntry[]
  note: (line: string) => void
  warn: (line: string) => void
}

/** One warning where Redis does not have them as they are declared. Throws what is wrong with the declarations. */
export async function doubtSchedules({ config, redis, jobs, warn }: StartedReplica): Promise<void> {
  const { declared, faults } = declaredSchedules(config, { jobs: [...jobs], broken: [] })
  refuseFaults(faults)
  const { steps, close } = await look(redis, config, declared)
  close()
  const idsOf = (action: Step['action']) =>
    steps.filter(step => step.action === action).map(step => stepData(step).id)
  const said = [
    ...listed('Redis does not have', idsOf('create')),
    ...listed('Redis has otherwise than declared', idsOf('change')),
  ]
  if (said.length > 0) warn(`schedules: ${said.join('; ')}; run \`runner schedules apply\``)
}

/** Says in one line what it did, if anything. Orphans are removed only from a Redis that is this folder's own. */
export async function applySchedules({ config, redis, jobs, note }: StartedReplica): Promise<void> {
  const manifest = { jobs: [...jobs], broken: [] }
  const { declared } = declaredSchedules(config, manifest)
  const loader = await openLoader(filesOf(config, declared, jobs), { redact: config.redact })
  try {
    refuseFaults((await examine(config, manifest, loader)).faults)
  } finally {
    await loader.close()
  }
  const { steps, schedulers, close } = await look(redis, config, declared)
  const done = await applyPlan(steps, schedulers, { owner: ownerOf(config), prune: redis.embedded })
  close()
  const said = done.map(step => `${DONE[step.action]} ${stepData(step).id}`)
  if (said.length > 0) note(`schedules: ${said.join(', ')}`)
}

interface Look {
  steps: Step[]
  schedulers: Schedulers
  close: () => void
}

async function look(redis: RedisHandle, config: Config, declared: readonly Declared[]): Promise<Look> {
  const client = redis.connect('schedules')
  const schedulers = new Schedulers(client, redis.prefix)
  // All keys of a private server are few; elsewhere only the queues that matter are looked at.
  const others = redis.embedded ? await queueNames(client, redis.prefix) : []
  const present = await schedulers.list([...declared.map(({ queue }) => queue), ...others])
  const steps = planOf(declared, present, { owner: ownerOf(config), redaction: new Redaction(config.redact) })
  return { steps, schedulers, close: () => client.disconnect() }
}

const listed = (what: string, ids: readonly string[]): string[] =>
  ids.length === 0 ? [] : [`${what} ${ids.join(', ')}`]

/** Of the jobs that have a schedule. */
function filesOf(config: Config, declared: readonly Declared[], jobs: readonly JobEntry[]): JobFile[] {
  const scheduled = jobs.filter(({ name }) => declared.some(({ job }) => job === name))
  const wanted = new Set(scheduled.map(({ file }) => file))
  return jobFiles(config).files.filter(({ file }) => wanted.has(file))
}
