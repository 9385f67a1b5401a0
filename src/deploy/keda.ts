/** KEDA asks `runner serve` how many replicas a queue needs, and the HPA that it makes gives it as many. */
import type { IScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject'
import type { IScaleTriggers } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaleTriggers'
import { gatewayName, metadata, podLabels } from './object.ts'
import type { Group, Plan } from './plan.ts'
import { PORT } from './pod.ts'
import { scalingBehavior } from './hpa.ts'

export const POLLING_SECONDS = 15
/** Of what a fleet may grow to: what it has at least while nobody can say how many it needs. */
const FALLBACK_SHARE = 0.25

export function scaledObjectOf(plan: Plan, group: Group): IScaledObject {
  const { object, minReplicas, maxReplicas } = group
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: metadata(plan, object, podLabels(plan, 'worker', object)),
    spec: {
      scaleTargetRef: { name: object },
      pollingInterval: POLLING_SECONDS,
      // Only for the last pod, where minReplicas is 0.
      cooldownPeriod: 300,
      minReplicaCount: minReplicas,
      maxReplicaCount: maxReplicas,
      // The gateway answers 503 when it cannot read Redis, never 0: nothing is taken away for an outage.
      fallback: {
        failureThreshold: 3,
        replicas: Math.max(1, minReplicas, Math.ceil(maxReplicas * FALLBACK_SHARE)),
        behavior: 'currentReplicasIfHigher',
      },
      advanced: { horizontalPodAutoscalerConfig: { behavior: scalingBehavior() } },
      triggers: triggersOf(plan, group, 'desiredReplicas'),
    },
  }
}

/** One for each queue; the largest counts, since a replica has slots of its own for each. */
export function triggersOf(
  plan: Plan,
  { queues }: Group,
  figure: 'desiredReplicas' | 'pods',
): IScaleTriggers[] {
  return queues.map(({ name }) => ({
    type: 'metrics-api',
    // The figure is divided among what is there: with the target 1 it is the number of replicas.
    metricType: 'AverageValue',
    ...(figure === 'desiredReplicas' && { useCachedMetrics: true }),
    metadata: {
      url: scaleUrl(plan, name),
      valueLocation: figure,
      targetValue: '1',
      activationTargetValue: '0',
      timeout: '3000',
    },
  }))
}

/** KEDA is in another namespace. */
const scaleUrl = (plan: Plan, queue: string): string =>
  `http://${gatewayName(plan)}.${plan.namespace}.svc:${PORT}/v1/queues/${encodeURIComponent(queue)}/scale`
