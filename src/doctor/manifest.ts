/** A manifest of Kubernetes, by itself (deploy/policy.ts), and held against what replicas have measured and what Redis has. */
import { at, type Document } from '../deploy/documents.ts'
import { settingOf } from '../deploy/invocation.ts'
import { RULES, worldOf } from '../deploy/policy.ts'
import { restartBudget } from '../deploy/policy/probes.ts'
import type { World } from '../deploy/policy/rule.ts'
import { readQuantity } from '../deploy/quantity.ts'
import { terminationSeconds } from '../deploy/timing.ts'
import type { Workload } from '../deploy/workload.ts'
import { USUAL } from '../fleet/lock-terms.ts'
import { formatMebibytes, formatMilliseconds } from '../units.ts'
import { connectionFindings } from './connections.ts'
import { queueFacts, type QueueFacts } from './facts.ts'
import { bad, ok, type Finding, type Judgement } from './finding.ts'
import { judgeShare } from './share.ts'
import { isTaken, takersOf, type Survey } from './survey.ts'
import { queueNameOf } from '../queue-setting.ts'

export interface GivenManifest {
  documents: readonly Document[]
  /** That the job files of this folder name. */
  queues: readonly string[]
}

export async function manifestFindings(
  survey: Survey,
  { documents, queues }: GivenManifest,
): Promise<Finding[]> {
  const seen = survey.queues.map(({ queue }) => queue)
  const world = worldOf(documents, survey.config, { queues, seen })
  const workers = world.workloads.filter(({ run }) => run.verb === 'work')
  const facts = await queueFacts(survey)
  return [
    ...policyFindings(world),
    ...unworkedFindings(survey, world, workers),
    ...workers.flatMap(workload => workerFindings(workload, survey, facts)),
    ...(await connectionFindings(survey, world, workers)),
  ]
}

function policyFindings(world: World): Finding[] {
  return Object.entries(RULES).flatMap(([check, { expected, check: complaintsOf }]): Finding[] => {
    const complaints = [...complaintsOf(world)]
    if (complaints.length === 0) return [{ check, queue: null, ...ok(expected, 'so it is') }]
    return complaints.map(({ object, level, actual, fix }) => ({
      check,
      queue: null,
      ...bad(level, expected, `${object}: ${actual}`, fix),
    }))
  })
}

/** Jobs in Redis that the manifest leaves to nobody. */
function unworkedFindings(survey: Survey, { config }: World, workers: readonly Workload[]): Finding[] {
  const worked = workers.map(({ run }) => settingOf(run, 'queues', config).map(queueNameOf))
  // One that names none works those of its job files, which are in its image.
  if (worked.length === 0 || worked.some(names => names.length === 0)) return []
  return survey.queues.flatMap(({ queue, waiting, due, delayed }): Finding[] => {
    const jobs = waiting + due + delayed
    if (jobs === 0 || worked.some(names => names.includes(queue))) return []
    const isWorked = isTaken(takersOf(survey, queue))
    const told = `none, and ${jobs} wait in it${isWorked ? '; it is worked now, by what is not in the manifest perhaps' : ''}`
    const judgement = bad(
      isWorked ? 'warning' : 'error',
      'a workload of the manifest',
      told,
      `--queue ${queue}`,
    )
    return [{ check: 'queues', queue, ...judgement }]
  })
}

function workerFindings(workload: Workload, survey: Survey, facts: readonly QueueFacts[]): Finding[] {
  const given = settingOf(workload.run, 'queues', survey.config).map(queueNameOf)
  const own = facts.filter(({ queue }) => given.length === 0 || given.includes(queue))
  const ofQueues = own.flatMap(one => [
    { check: 'pod grace', queue: one.queue, ...judgeGrace(workload, one, survey) },
    { check: 'pod liveness', queue: one.queue, ...judgeLiveness(workload, one) },
  ])
  const memory = judgeMemory(workload, survey, new Set(own.map(({ queue }) => queue)))
  const all = memory === undefined ? ofQueues : [...ofQueues, { check: 'pod memory', queue: null, ...memory }]
  return all.map(finding => ({ ...finding, actual: `${workload.object}: ${finding.actual}` }))
}

function judgeGrace({ run }: Workload, { measured }: QueueFacts, { config }: Survey): Judgement {
  const grace = settingOf(run, 'grace', config)
  if (measured.run.count === 0) return ok('not measured yet', show(grace))
  const longest = measured.run.percentile(USUAL)
  const expected = `${show(longest)}: 99.9% of runs`
  if (longest <= grace) return ok(expected, show(grace))
  const wanted = Math.ceil(longest / 1_000)
  const pod = terminationSeconds(wanted * 1_000, settingOf(run, 'abortGrace', config))
  const fix = `--grace ${wanted}s, and terminationGracePeriodSeconds: ${pod}`
  return bad('warning', expected, `${show(grace)}: longer runs begin again each time a pod stops`, fix)
}

/** Locks of live replicas: with 'auto' they are as long as they had to be. */
function judgeLiveness(workload: Workload, { setups }: QueueFacts): Judgement {
  const lock = Math.max(...setups.map(({ lockDuration }) => lockDuration))
  const expected = `more than the lock of ${show(lock)}`
  const budget = restartBudget(workload)
  if (budget === undefined) return ok(expected, 'never restarted')
  if (budget > lock) return ok(expected, `restarted after ${show(budget)}`)
  const fix = 'a larger failureThreshold of the livenessProbe'
  return bad('error', expected, `restarted after ${show(budget)}, while its locks hold`, fix)
}

/** undefined: no limit, which the policy complains of, or no live replica of these queues. */
function judgeMemory(
  { container }: Workload,
  { live }: Survey,
  queues: ReadonlySet<string>,
): Judgement | undefined {
  const limit = readQuantity(at(container, 'resources.limits.memory'))
  const alike = live.filter(replica => Object.keys(replica.queues).some(queue => queues.has(queue)))
  if (limit === undefined || alike.length === 0) return undefined
  return judgeShare({
    used: Math.max(...alike.map(({ rss }) => rss)),
    limit,
    consequence:
      'a live replica of its queues has so much; at the limit the kernel ends it with all its jobs',
    fix: 'a larger limits.memory, fewer --executors, or --max-rss below the limit',
    show: formatMebibytes,
  })
}

const show = formatMilliseconds
