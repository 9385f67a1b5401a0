/** What every object has: a name, a namespace, and labels by which others find it. */
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import type { Plan } from './plan.ts'

type Metadata = NonNullable<IDeployment['metadata']>

export interface KubernetesObject {
  apiVersion: string
  kind: string
  metadata?: Metadata
}

type Labels = Record<string, string>

/** Of all pods of an environment. */
export const appLabels = ({ app }: Plan): Labels => ({ 'app.kubernetes.io/name': app })

/** Of the pods of one Deployment: nobody else's selector may match them. */
export const podLabels = (plan: Plan, component: 'worker' | 'serve', object: string): Labels => ({
  ...appLabels(plan),
  'app.kubernetes.io/component': component,
  'app.kubernetes.io/instance': object,
})

export const metadata = (plan: Plan, name: string, labels: Labels = appLabels(plan)): Metadata => ({
  name,
  namespace: plan.namespace,
  labels,
})

/** Of the gateway: its Deployment, its Service. */
export const gatewayName = ({ app }: Plan): string => `${app}-serve`
