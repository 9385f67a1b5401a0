/** A group of replicas: a Deployment and its PodDisruptionBudget, or a ScaledJob that makes a pod for each job. */
import type { IScaledJob } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledJob'
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import type { IEnvVar } from 'kubernetes-models/v1/EnvVar'
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec'
import { workerAccount } from './access.ts'
import { POLLING_SECONDS, triggersOf } from './keda.ts'
import { metadata, podLabels } from './object.ts'
import type { Group, Plan } from './plan.ts'
import { PORT, envOf, podOf, redisSecrets } from './pod.ts'
import { idleSeconds, terminationSeconds } from './timing.ts'

export function deploymentOf(plan: Plan, group: Group): IDeployment {
  const labels = podLabels(plan, 'worker', group.object)
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(plan, group.object, labels),
    spec: {
      // Beside an autoscaler it would be set back at each deployment.
      ...(plan.autoscaler === 'none' && { replicas: group.minReplicas }),
      revisionHistoryLimit: 3,
      selector: { matchLabels: labels },
      // A new replica takes jobs before an old one is told to stop.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '25%' } },
      template: workerPod(plan, group),
    },
  }
}

export function budgetOf(plan: Plan, group: Group): IPodDisruptionBudget {
  const labels = podLabels(plan, 'worker', group.object)
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(plan, group.object, labels),
    spec: {
      maxUnavailable: '25%',
      // What is not ready, as in an outage of Redis, must not hold up the drain of a node.
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: labels },
    },
  }
}

/** A pod that finds its job taken by another waits a while for the next, and ends with 0. */
export function scaledJobOf(plan: Plan, group: Group): IScaledJob {
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledJob',
    metadata: metadata(plan, group.object, podLabels(plan, 'worker', group.object)),
    spec: {
      pollingInterval: POLLING_SECONDS,
      minReplicaCount: 0,
      maxReplicaCount: group.maxReplicas,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 5,
      // Pods that run are left alone when this object changes.
      rollout: { strategy: 'gradual' },
      // The figure is of jobs that have no pod: those that run are not in it.
      scalingStrategy: { strategy: 'accurate' },
      // Attempts are BullMQ's.
      jobTargetRef: { backoffLimit: 0, template: workerPod(plan, group) },
      triggers: triggersOf(plan, group, 'pods'),
    },
  }
}

function workerPod(plan: Plan, group: Group): IPodTemplateSpec {
  const { object, queues, grace, abortGrace, executors, kind, podDeletionCost } = group
  return podOf(plan, {
    name: 'worker',
    labels: podLabels(plan, 'worker', object),
    args: [
      'work',
      '--http',
      `:${PORT}`,
      '--grace',
      `${Math.ceil(grace / 1_000)}s`,
      '--executors',
      String(executors),
      ...(kind === 'job' ? ['--max-jobs', '1', '--idle-timeout', `${idleSeconds(group)}s`] : []),
      ...(podDeletionCost ? ['--pod-deletion-cost'] : []),
      ...queues.flatMap(({ name, concurrency }) => ['--queue', `${name}:${concurrency}`]),
      ...group.args,
    ],
    env: [...envOf(plan, plan.redis.key, group.env), ...(podDeletionCost ? POD_ITSELF : [])],
    envFrom: [...redisSecrets(plan), ...plan.secrets, ...group.secrets],
    memory: group.memory,
    cpu: group.cpu,
    lockDuration: group.lockDuration,
    terminationGracePeriodSeconds: terminationSeconds(grace, abortGrace),
    ...(podDeletionCost && { serviceAccountName: workerAccount(plan) }),
    ...(kind === 'job' && {
      restartPolicy: 'Never' as const,
      annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' },
    }),
  })
}

/** Whose cost it is. */
const POD_ITSELF: IEnvVar[] = [
  ['POD_NAME', 'metadata.name'],
  ['POD_NAMESPACE', 'metadata.namespace'],
].map(([name = '', fieldPath = '']) => ({ name, valueFrom: { fieldRef: { fieldPath } } }))
