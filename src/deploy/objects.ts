/** All objects of an environment, in the order in which they can be made. */
import { accessOf } from './access.ts'
import { gatewayOf } from './gateway.ts'
import { hpaOf } from './hpa.ts'
import { scaledObjectOf } from './keda.ts'
import { networkPoliciesOf, podMonitorOf } from './network.ts'
import type { KubernetesObject } from './object.ts'
import type { Group, Plan } from './plan.ts'
import { budgetOf, deploymentOf, scaledJobOf } from './workers.ts'

export function objectsOf(plan: Plan): KubernetesObject[] {
  const { groups, networkPolicy, podMonitor } = plan
  return [
    ...(groups.some(({ podDeletionCost }) => podDeletionCost) ? accessOf(plan) : []),
    ...gatewayOf(plan),
    ...groups.flatMap(group => groupObjects(plan, group)),
    ...(networkPolicy ? networkPoliciesOf(plan) : []),
    ...(podMonitor ? [podMonitorOf(plan)] : []),
  ]
}

function groupObjects(plan: Plan, group: Group): KubernetesObject[] {
  if (group.kind === 'job') return [scaledJobOf(plan, group)]
  const own = [deploymentOf(plan, group), budgetOf(plan, group)]
  if (plan.autoscaler === 'keda') return [...own, scaledObjectOf(plan, group)]
  return plan.autoscaler === 'hpa' ? [...own, hpaOf(plan, group)] : own
}
