/** An HPA without KEDA: it reads the same figure from Prometheus, which an adapter serves as an external metric. */
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import type { IHorizontalPodAutoscalerBehavior } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscalerBehavior'
import { RunnerError } from '../errors.ts'
import { metadata, podLabels } from './object.ts'
import type { Group, Plan } from './plan.ts'

/** Of the gateway; label `queue`. */
export const SCALE_METRIC = 'runner_queue_desired_replicas'

export function hpaOf(
  plan: Plan,
  { name, object, minReplicas, maxReplicas, queues }: Group,
): IHorizontalPodAutoscaler {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadata(plan, object, podLabels(plan, 'worker', object)),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: object },
      minReplicas,
      maxReplicas,
      behavior: scalingBehavior(),
      metrics: queues.map(queue => ({
        type: 'External',
        external: {
          metric: {
            name: SCALE_METRIC,
            selector: { matchLabels: { queue: asLabel(queue.name, plan, name) } },
          },
          target: { type: 'AverageValue', averageValue: '1' },
        },
      })),
    },
  }
}

/** Up at once, down slowly: a burst that comes back within five minutes finds its pods, and few busy ones are evicted. */
export function scalingBehavior(): IHorizontalPodAutoscalerBehavior {
  return {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Max',
      policies: [
        { type: 'Percent', value: 100, periodSeconds: 15 },
        { type: 'Pods', value: 4, periodSeconds: 15 },
      ],
    },
    scaleDown: {
      stabilizationWindowSeconds: 300,
      selectPolicy: 'Min',
      policies: [{ type: 'Percent', value: 25, periodSeconds: 60 }],
    },
  }
}

/** A selector takes fewer names than BullMQ. */
function asLabel(queue: string, { environment }: Plan, group: string): string {
  if (/^(?=.{1,63}$)[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?$/.test(queue)) return queue
  throw new RunnerError(
    'CONFIG_INVALID',
    `k8s.${environment}.groups.${group}: the queue ${queue} cannot be the value of a label, which an HPA needs`,
    { hint: "autoscaler: 'keda', or another name for the queue" },
  )
}
