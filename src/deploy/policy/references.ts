/** What names another object names one that is there. */
import { at, fields, list, text, type Document } from '../documents.ts'
import { settingOf } from '../invocation.ts'
import { closest } from '../../suggestion.ts'
import { error, warning, type Complaint, type World } from './rule.ts'

export function* referenceComplaints(world: World): Generator<Complaint> {
  for (const document of world.documents) {
    if (document.kind === 'ScaledObject' || document.kind === 'HorizontalPodAutoscaler') {
      const { kind = 'Deployment', name } = fields(at(document.body, 'spec.scaleTargetRef'))
      yield* absence(world, document, 'scaleTargetRef', String(kind), text(name))
    }
    if (document.kind === 'RoleBinding') {
      const { kind, name } = fields(document.body['roleRef'])
      if (kind === 'Role') yield* absence(world, document, 'roleRef', 'Role', text(name))
      for (const subject of list(document.body['subjects']).map(fields))
        if (subject['kind'] === 'ServiceAccount')
          yield* absence(world, document, 'subjects', 'ServiceAccount', text(subject['name']))
    }
  }
  yield* accountComplaints(world)
}

function* absence(
  { documents }: World,
  from: Document,
  field: string,
  kind: string,
  name: string | undefined,
): Generator<Complaint> {
  const there = documents.filter(one => one.kind === kind && one.namespace === from.namespace)
  if (there.some(one => one.name === name)) return
  const near = closest(
    name ?? '',
    there.map(one => one.name),
  )
  const fix = near === undefined ? `a ${kind} of that name in ${from.namespace}` : `did you mean ${near}?`
  yield error(from, `${field}: there is no ${kind} ${name ?? ''} in the manifest`, fix)
}

/** A token that nobody needs is one that can be stolen; and who needs it must be allowed what it is for. */
function* accountComplaints({ workloads, documents, config }: World): Generator<Complaint> {
  for (const workload of workloads) {
    const { pod, namespace, run } = workload
    const name = text(pod['serviceAccountName']) ?? 'default'
    const account = documents.find(
      one => one.kind === 'ServiceAccount' && one.name === name && one.namespace === namespace,
    )
    const isMounted =
      (pod['automountServiceAccountToken'] ?? account?.body['automountServiceAccountToken']) !== false
    if (!settingOf(run, 'podDeletionCost', config)) {
      if (isMounted)
        yield warning(
          workload,
          'a token of the API server is mounted, which nothing uses',
          'automountServiceAccountToken: false',
        )
      continue
    }
    if (!isMounted)
      yield error(
        workload,
        '--pod-deletion-cost without a token of the API server',
        'automountServiceAccountToken: true',
      )
    if (!mayPatchPods(documents, namespace, name))
      yield error(
        workload,
        `--pod-deletion-cost, and ${name} may not patch pods`,
        "a Role with { resources: ['pods'], verbs: ['patch'] }, bound to it",
      )
  }
}

function mayPatchPods(documents: readonly Document[], namespace: string, account: string): boolean {
  const bound = documents.filter(({ kind, body, namespace: own }) => {
    const subjects = list(body['subjects']).map(fields)
    return kind === 'RoleBinding' && own === namespace && subjects.some(({ name }) => name === account)
  })
  const roles = bound.map(({ body }) => text(at(body, 'roleRef.name')))
  return documents.some(
    ({ kind, name, body }) =>
      kind === 'Role' &&
      roles.includes(name) &&
      list(body['rules'])
        .map(fields)
        .some(rule => list(rule['resources']).includes('pods') && list(rule['verbs']).includes('patch')),
  )
}
