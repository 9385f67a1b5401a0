/** What a replica may do with the API server, where it tells what its own pod is worth: patch pods, nothing else. */
import type { IRole } from 'kubernetes-models/rbac.authorization.k8s.io/v1/Role'
import type { IRoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding'
import type { IServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { metadata } from './object.ts'
import type { Plan } from './plan.ts'

export const workerAccount = ({ app }: Plan): string => `${app}-worker`

export function accessOf(plan: Plan): [IServiceAccount, IRole, IRoleBinding] {
  const name = workerAccount(plan)
  const meta = metadata(plan, name)
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta, automountServiceAccountToken: false },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: meta,
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['patch'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: meta,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: plan.namespace }],
    },
  ]
}
