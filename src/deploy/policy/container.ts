/** The container: its image, its process 1, what it may do, and how much memory it has. */
import { at, fields, list, text, type Fields } from '../documents.ts'
import { settingOf } from '../invocation.ts'
import { readQuantity } from '../quantity.ts'
import { formatMebibytes } from '../../units.ts'
import type { Workload } from '../workload.ts'
import { error, warning, type Complaint, type World } from './rule.ts'

export function* imageComplaints({ workloads }: World): Generator<Complaint> {
  for (const workload of workloads) {
    const image = text(workload.container['image']) ?? ''
    const [, tag] = /:([\w.-]+)$/.exec(image) ?? []
    if (image.includes('@sha256:') || (tag !== undefined && tag !== 'latest')) continue
    const told = `${image === '' ? 'no image' : image}: two replicas may run different handlers, and no rollback leads back`
    yield error(workload, told, 'a version as its tag, or a digest')
  }
}

export function* processComplaints({ workloads }: World): Generator<Complaint> {
  for (const workload of workloads) {
    const { shell } = workload.run
    if (shell === undefined) continue
    const told = `${shell} is process 1: it keeps TERM from the replica, which is killed with its jobs running`
    yield error(workload, told, "args: ['work', ...] alone, or command: ['node', 'bin/runner.js']")
  }
}

export function* memoryComplaints({ workloads, config }: World): Generator<Complaint> {
  for (const workload of workloads) {
    const { container, run } = workload
    const limit = readQuantity(at(container, 'resources.limits.memory'))
    if (limit === undefined) {
      yield error(
        workload,
        'no limit of memory: what leaks takes its node along',
        'resources: { limits: { memory: 1Gi } }',
      )
      continue
    }
    const each = settingOf(run, 'executorMemory', config)
    const executors = settingOf(run, 'executors', config)
    // By itself a replica shares the limit out.
    const heaps = each === 'auto' ? 0 : executors * each
    if (run.verb === 'work' && heaps > limit)
      yield warning(
        workload,
        `${executors} executors may have ${formatMebibytes(heaps)}, and the limit is ${formatMebibytes(limit)}: the kernel ends the whole replica`,
        '--executor-memory less than the limit by executors',
      )
  }
}

export function* securityComplaints({ workloads }: World): Generator<Complaint> {
  for (const workload of workloads) {
    const { pod, container } = workload
    const inPod = fields(pod['securityContext'])
    const own = fields(container['securityContext'])
    const merged: Fields = { ...inPod, ...own }
    if (merged['runAsNonRoot'] !== true || merged['runAsUser'] === 0)
      yield error(workload, 'it may run as root', 'securityContext: { runAsNonRoot: true, runAsUser: 1000 }')
    if (own['allowPrivilegeEscalation'] !== false || own['privileged'] === true)
      yield error(workload, 'it may gain privileges', 'securityContext: { allowPrivilegeEscalation: false }')
    if (!list(at(own, 'capabilities.drop')).includes('ALL'))
      yield error(workload, 'it keeps capabilities', "securityContext: { capabilities: { drop: ['ALL'] } }")
    if (own['readOnlyRootFilesystem'] !== true)
      yield error(
        workload,
        'it may write to its image',
        'securityContext: { readOnlyRootFilesystem: true }, and an emptyDir at /tmp',
      )
    else if (!list(container['volumeMounts']).some(mount => fields(mount)['mountPath'] === '/tmp'))
      yield warning(workload, 'it can write nowhere', 'an emptyDir at /tmp')
    if (!['RuntimeDefault', 'Localhost'].includes(String(at(merged, 'seccompProfile.type'))))
      yield error(
        workload,
        'all system calls are open to it',
        'securityContext: { seccompProfile: { type: RuntimeDefault } }',
      )
    const shared = ['hostNetwork', 'hostPID', 'hostIPC'].filter(field => pod[field] === true)
    if (shared.length > 0)
      yield error(workload, `${shared.join(', ')}: it is not apart from its node`, 'leave it out')
    yield* mountFaults(workload)
  }
}

function* mountFaults(workload: Workload): Generator<Complaint> {
  const volumes = list(workload.pod['volumes']).map(volume => fields(volume)['name'])
  for (const { name } of list(workload.container['volumeMounts']).map(fields))
    if (!volumes.includes(name))
      yield error(workload, `volumeMounts: there is no volume ${String(name)}`, 'a volume of that name')
}
