/** How many replicas a workload may have. */
import { at, number, text, type Document } from './documents.ts'
import type { Workload } from './workload.ts'

/** What KEDA and Kubernetes take where nothing is said. */
const KEDA_MOST = 100
const SURGE = '25%'

/** At most, at once: what its autoscaler may ask for, and those that come before others go when it is rolled out. */
export function mostReplicas(workload: Workload, documents: readonly Document[]): number {
  const { kind, name, namespace, body } = workload
  if (kind === 'ScaledJob') return number(at(body, 'spec.maxReplicaCount')) ?? KEDA_MOST
  const scaler = documents.find(
    one =>
      ['ScaledObject', 'HorizontalPodAutoscaler'].includes(one.kind) &&
      one.namespace === namespace &&
      at(one.body, 'spec.scaleTargetRef.name') === name,
  )
  const asked =
    scaler === undefined
      ? (number(at(body, 'spec.replicas')) ?? 1)
      : (number(at(scaler.body, 'spec.maxReplicaCount')) ??
        number(at(scaler.body, 'spec.maxReplicas')) ??
        KEDA_MOST)
  return (
    asked + (kind === 'Deployment' ? surgeOf(asked, at(body, 'spec.strategy.rollingUpdate.maxSurge')) : 0)
  )
}

function surgeOf(replicas: number, given: unknown): number {
  const surge = number(given) ?? text(given) ?? SURGE
  return typeof surge === 'number' ? surge : Math.ceil((replicas * Number.parseFloat(surge)) / 100)
}
