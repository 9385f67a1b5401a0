/** Who may connect to whom, and what Prometheus scrapes. The probes of the kubelet are let through everywhere. */
import type { IPodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor'
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import type { INetworkPolicyEgressRule } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyEgressRule'
import type { INetworkPolicyPort } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPort'
import { appLabels, gatewayName, metadata, podLabels } from './object.ts'
import type { Group, Plan } from './plan.ts'
import { PORT, PORT_NAME } from './pod.ts'

/** Of the API server, by its Service and by itself. */
const API_PORTS = [443, 6443]

/**
 * Into any pod: only to the port of figures and probes. Out of the gateway: only to Redis, DNS and what it is said to need. Out of replicas:
 * anywhere, since what handlers connect to is not known, unless their group says it.
 */
export function networkPoliciesOf(plan: Plan): INetworkPolicy[] {
  const ingress: INetworkPolicy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(plan, plan.app),
    spec: {
      podSelector: { matchLabels: appLabels(plan) },
      policyTypes: ['Ingress'],
      ingress: [{ ports: tcp([PORT]) }],
    },
  }
  const egress = plan.groups.flatMap(group =>
    group.egress === undefined
      ? []
      : [egressOf(plan, 'worker', group.object, [...apiServer(group), ...rulesOf(group.egress)])],
  )
  return [ingress, egressOf(plan, 'serve', gatewayName(plan), rulesOf(plan.gateway.egress)), ...egress]
}

function egressOf(
  plan: Plan,
  component: 'worker' | 'serve',
  object: string,
  more: INetworkPolicyEgressRule[],
): INetworkPolicy {
  const labels = podLabels(plan, component, object)
  const dns: INetworkPolicyPort[] = (['UDP', 'TCP'] as const).map(protocol => ({ protocol, port: 53 }))
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(plan, object, labels),
    spec: {
      podSelector: { matchLabels: labels },
      policyTypes: ['Egress'],
      egress: [{ ports: dns }, { ports: tcp(plan.redis.ports) }, ...more],
    },
  }
}

const apiServer = ({ podDeletionCost }: Group): INetworkPolicyEgressRule[] =>
  podDeletionCost ? [{ ports: tcp(API_PORTS) }] : []

const rulesOf = (egress: readonly string[]): INetworkPolicyEgressRule[] =>
  egress.map(text => {
    const [, cidr = '', port] = /^(.+\/\d+)(?::(\d+))?$/.exec(text) ?? []
    return { to: [{ ipBlock: { cidr } }], ...(port !== undefined && { ports: tcp([Number(port)]) }) }
  })

const tcp = (ports: readonly number[]): INetworkPolicyPort[] => ports.map(port => ({ protocol: 'TCP', port }))

export function podMonitorOf(plan: Plan): IPodMonitor {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: metadata(plan, plan.app),
    spec: {
      selector: { matchLabels: appLabels(plan) },
      podMetricsEndpoints: [{ port: PORT_NAME, path: '/metrics', interval: '30s' }],
    },
  }
}
