/** What selects pods selects those that it is meant for, and asks for ports that they have. */
import { at, fields, list, text, type Document, type Fields } from '../documents.ts'
import { portOf, selects, type PodMaker } from '../workload.ts'
import { error, warning, type Complaint, type World } from './rule.ts'

/** Kinds that look for pods of their namespace, and where they say which. */
const SELECTORS: Record<string, string> = {
  PodDisruptionBudget: 'spec.selector',
  PodMonitor: 'spec.selector',
  NetworkPolicy: 'spec.podSelector',
  Service: 'spec.selector',
}
const OWNERS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet']

export function* selectorComplaints({ documents, makers }: World): Generator<Complaint> {
  for (const maker of makers) if (OWNERS.includes(maker.kind)) yield* ownerFaults(maker, makers)
  for (const document of documents) {
    const path = SELECTORS[document.kind]
    if (path === undefined) continue
    const selector = selectorOf(document, path)
    if (selector === undefined) continue
    const found = makers.filter(
      ({ namespace, labels }) => namespace === document.namespace && selects(selector, labels),
    )
    const fix = 'the labels of spec.template.metadata.labels'
    // A Service may be for pods that are elsewhere, a policy for all that will ever come.
    const tell = ['Service', 'NetworkPolicy'].includes(document.kind) ? warning : error
    if (found.length === 0 && makers.length > 0)
      yield tell(document, 'its selector matches no pod of the manifest', fix)
    else yield* portFaults(document, found)
  }
}

/** A Service has labels alone, and without them it selects nothing. */
function selectorOf(document: Document, path: string): Fields | undefined {
  const given = at(document.body, path)
  if (document.kind !== 'Service') return fields(given)
  return given === undefined ? undefined : { matchLabels: given }
}

function* ownerFaults(maker: PodMaker, makers: readonly PodMaker[]): Generator<Complaint> {
  const selector = fields(at(maker.body, 'spec.selector'))
  const isEmpty =
    Object.keys(fields(selector['matchLabels'])).length + list(selector['matchExpressions']).length === 0
  const fix = 'matchLabels: those of the template, and of no other'
  if (isEmpty) yield error(maker, 'it has no selector', fix)
  else if (!selects(selector, maker.labels))
    yield error(maker, 'its selector does not match the labels of its pods', fix)
  else {
    const other = makers.find(
      one => one !== maker && one.namespace === maker.namespace && selects(selector, one.labels),
    )
    if (other !== undefined) yield error(maker, `its selector matches the pods of ${other.object} too`, fix)
  }
}

function* portFaults(document: Document, found: readonly PodMaker[]): Generator<Complaint> {
  const path = document.kind === 'Service' ? 'spec.ports' : 'spec.podMetricsEndpoints'
  for (const entry of list(at(document.body, path)).map(fields)) {
    const port = document.kind === 'Service' ? entry['targetPort'] : entry['port']
    const name = text(port)
    if (name === undefined) continue
    const lacking = found.filter(({ containers }) => containers.every(one => portOf(one, name) === undefined))
    for (const { object } of lacking)
      yield error(document, `no port of ${object} is named ${name}`, 'a name of ports of its container')
  }
}
