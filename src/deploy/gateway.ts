/** `runner serve`: what the autoscaler asks, and where Prometheus reads the queues. Always on, so never scaled. */
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import type { IService } from 'kubernetes-models/v1/Service'
import { gatewayName, metadata, podLabels } from './object.ts'
import type { Plan } from './plan.ts'
import { PORT, PORT_NAME, envOf, podOf, redisSecrets } from './pod.ts'
import { terminationSeconds } from './timing.ts'

export function gatewayOf(plan: Plan): [IDeployment, IPodDisruptionBudget, IService] {
  const name = gatewayName(plan)
  const labels = podLabels(plan, 'serve', name)
  const { replicas, memory, cpu, grace, secrets } = plan.gateway
  const meta = metadata(plan, name, labels)
  const selector = { matchLabels: labels }
  const template = podOf(plan, {
    name: 'serve',
    labels,
    args: ['serve', '--http', `:${PORT}`],
    // How many jobs a replica has at once, while there is none to say so, and how many replicas there may be.
    env: envOf(plan, plan.redis.readerKey, {
      RUNNER_QUEUES: queuesOf(plan),
      RUNNER_SCALING: JSON.stringify(plan.scaling),
      RUNNER_GRACE: `${grace}ms`,
    }),
    // It runs no handler: what those log in with is not for it.
    envFrom: [...redisSecrets(plan), ...secrets],
    memory,
    cpu,
    lockDuration: 0,
    terminationGracePeriodSeconds: terminationSeconds(grace, 0),
  })
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: meta,
      spec: { replicas, revisionHistoryLimit: 3, selector, template },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: meta,
      spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow', selector },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta,
      spec: { selector: labels, ports: [{ name: PORT_NAME, port: PORT, targetPort: PORT_NAME }] },
    },
  ]
}

const queuesOf = ({ groups }: Plan): string =>
  groups.flatMap(({ queues }) => queues.map(({ name, concurrency }) => `${name}:${concurrency}`)).join(',')
