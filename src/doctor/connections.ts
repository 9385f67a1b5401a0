/** Whether Redis has as many connections as the workloads of a manifest may open when they are scaled to the end. */
import { settingOf } from '../deploy/invocation.ts'
import type { World } from '../deploy/policy/rule.ts'
import { mostReplicas } from '../deploy/replica-count.ts'
import type { Workload } from '../deploy/workload.ts'
import { primariesOf, readInfo } from '../redis/server-info.ts'
import type { Finding } from './finding.ts'
import { judgeShare } from './share.ts'
import type { Survey } from './survey.ts'

/**
 * Of a replica, beside one for each queue: its jobs, its registration, its health, what operators say and its inbox; and
 * one more for the flows that handlers add. What handlers connect by themselves is not in it.
 */
const BESIDE_QUEUES = 6

/** Of a replica that works so many queues, at most. */
export const connectionsOf = (queues: number): number => BESIDE_QUEUES + queues

/** None where INFO is forbidden, which is told elsewhere. */
export async function connectionFindings(
  { client, live, queues, config }: Survey,
  { documents }: World,
  workers: readonly Workload[],
): Promise<Finding[]> {
  const needed = workers.map(workload => {
    const named = settingOf(workload.run, 'queues', config).length
    return mostReplicas(workload, documents) * connectionsOf(named === 0 ? queues.length : named)
  })
  const wanted = needed.reduce((sum, one) => sum + one, 0)
  // The live ones are taken for those that the manifest replaces.
  const own = live.reduce((sum, replica) => sum + connectionsOf(Object.keys(replica.queues).length), 0)
  const infos = await Promise.all(primariesOf(client).map(readInfo))
  const nodes = infos.flatMap(info => {
    const limit = Number(info?.get('maxclients') ?? 0)
    const others = Math.max(0, Number(info?.get('connected_clients') ?? 0) - own)
    return limit === 0 ? [] : [{ limit, used: wanted + others }]
  })
  const [worst] = nodes.sort((a, b) => b.used / b.limit - a.used / a.limit)
  if (worst === undefined) return []
  const judgement = judgeShare({
    ...worst,
    consequence: `at their most the workloads have ${wanted} connections; when all are taken, no replica can start or reconnect`,
    fix: 'redis-cli config set maxclients <more>, a smaller maxReplicaCount, or fewer queues for each workload',
    show: clients => `${clients} clients`,
  })
  return [{ check: 'connections', queue: null, ...judgement }]
}
