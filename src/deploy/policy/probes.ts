/** Each probe asks what it is for, at a port that is answered, and a restart does not come while locks still hold. */
import { at, fields, list, number, text, type Fields } from '../documents.ts'
import { settingOf } from '../invocation.ts'
import { readHttpAddress } from '../../http-address.ts'
import { formatMilliseconds } from '../../units.ts'
import { PROBE_DEFAULTS, livenessBudget, livenessTimes, lockOf, type ProbeTimes } from '../timing.ts'
import { portOf, type Workload } from '../workload.ts'
import { error, warning, type Complaint, type World } from './rule.ts'

const PROBES = [
  { name: 'livenessProbe', path: '/livez', word: 'live' },
  { name: 'readinessProbe', path: '/readyz', word: 'ready' },
  { name: 'startupProbe', path: '/startupz', word: 'startup' },
] as const
type Probe = (typeof PROBES)[number]

export function* probeComplaints(world: World): Generator<Complaint> {
  for (const workload of world.workloads) {
    if (workload.run.verb === undefined) continue
    const listens = listenedPort(workload, world)
    for (const probe of PROBES) {
      const given = workload.container[probe.name]
      if (given !== undefined) yield* probeFaults(workload, probe, fields(given), listens)
      else if (!workload.endsByItself) yield missing(workload, probe)
    }
  }
}

function missing(workload: Workload, { name, path }: Probe): Complaint {
  const fix = `${name}: { httpGet: { path: ${path}, port: 9090 } }, and --http :9090`
  if (name === 'livenessProbe') return error(workload, `no ${name}: a wedged replica is never restarted`, fix)
  if (name === 'readinessProbe')
    return error(workload, `no ${name}: a rollout goes on although its replicas reach no Redis`, fix)
  return warning(workload, `no ${name}: the time that handlers take to load counts as not alive`, fix)
}

/** undefined: nowhere that a kubelet reaches. */
function listenedPort({ run }: Workload, { config }: World): number | undefined {
  const at = readHttpAddress(settingOf(run, 'http', config) ?? '')
  return [undefined, '0.0.0.0', '::'].includes(at?.host) ? at?.port : undefined
}

function* probeFaults(
  workload: Workload,
  { name, path, word }: Probe,
  probe: Fields,
  listens: number | undefined,
): Generator<Complaint> {
  const { container } = workload
  const http = probe['httpGet'] === undefined ? undefined : fields(probe['httpGet'])
  const command = list(at(probe, 'exec.command')).join(' ')
  if (http === undefined && !command.includes(`probe ${word}`)) {
    yield error(
      workload,
      `${name} asks nothing that a replica answers`,
      `httpGet: { path: ${path}, port: 9090 }`,
    )
    return
  }
  if (listens === undefined)
    yield error(
      workload,
      `${name}: the container does not answer at a port of its pod`,
      "args: ['--http', ':9090']",
    )
  if (http === undefined) return
  if (http['path'] !== path)
    yield error(workload, `${name} asks ${text(http['path']) ?? '/'}`, `path: ${path}`)
  const port = portOf(container, http['port'])
  if (port === undefined)
    yield error(
      workload,
      `${name}: no port of the container is named ${String(http['port'])}`,
      'ports: [{ name: http, containerPort: 9090 }]',
    )
  else if (listens !== undefined && port !== listens)
    yield error(workload, `${name} asks port ${port}, and --http is ${listens}`, `port: ${listens}`)
}

/** Milliseconds until a workload that does not answer is restarted; undefined: never. */
export function restartBudget({ container }: Workload): number | undefined {
  const given = container['livenessProbe']
  if (given === undefined) return undefined
  const times = Object.entries(PROBE_DEFAULTS).map(([field, usual]) => [
    field,
    number(fields(given)[field]) ?? (usual as number),
  ])
  return livenessBudget(Object.fromEntries(times) as ProbeTimes)
}

export function* livenessComplaints({ workloads, config }: World): Generator<Complaint> {
  for (const workload of workloads) {
    if (workload.run.verb !== 'work') continue
    const budget = restartBudget(workload)
    const lockDuration = settingOf(workload.run, 'lockDuration', config)
    if (budget === undefined || budget > lockOf(lockDuration)) continue
    const lock = formatMilliseconds(lockOf(lockDuration))
    const told = `restarted after ${formatMilliseconds(budget)}, and a lock lasts up to ${lock}`
    const { periodSeconds, timeoutSeconds, failureThreshold } = livenessTimes(lockDuration)
    const fix = `livenessProbe: { periodSeconds: ${periodSeconds}, timeoutSeconds: ${timeoutSeconds}, failureThreshold: ${failureThreshold} }`
    yield error(workload, told, fix)
  }
}
