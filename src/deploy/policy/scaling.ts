/** One autoscaler for each Deployment, that asks for the number of replicas and gives as many. */
import { at, fields, list, number, text, type Document, type Fields } from '../documents.ts'
import { settingOf } from '../invocation.ts'
import { SCALE_METRIC } from '../hpa.ts'
import type { Workload } from '../workload.ts'
import { error, warning, type Complaint, type World } from './rule.ts'
import { queueNameOf } from '../../queue-setting.ts'

/** Below it, pods come and go with each lull. Seconds. */
const LEAST_WINDOW = 60

export function* scalingComplaints(world: World): Generator<Complaint> {
  for (const scaler of world.documents) {
    if (!['ScaledObject', 'HorizontalPodAutoscaler', 'ScaledJob'].includes(scaler.kind)) continue
    const target = targetOf(scaler, world)
    if (target !== undefined && scaler.kind !== 'ScaledJob' && at(target.body, 'spec.replicas') !== undefined)
      yield error(
        target,
        `spec.replicas beside ${scaler.object}: each deployment sets the fleet back to it`,
        'leave spec.replicas out',
      )
    const triggers = list(at(scaler.body, 'spec.triggers')).map(fields)
    for (const trigger of triggers) yield* triggerFaults(world, scaler, target, trigger)
    for (const metric of list(at(scaler.body, 'spec.metrics')).map(fields))
      yield* metricFaults(world, scaler, target, metric)
    if (scaler.kind !== 'ScaledJob') yield* behaviorFaults(scaler)
    if (scaler.kind === 'ScaledObject' && at(scaler.body, 'spec.fallback') === undefined)
      yield warning(
        scaler,
        'no fallback: while the gateway does not answer nothing is added',
        'fallback: { failureThreshold: 3, replicas: 4, behavior: currentReplicasIfHigher }',
      )
  }
}

/** A ScaledJob is its own. */
function targetOf(scaler: Document, { workloads }: World): Workload | undefined {
  const name = scaler.kind === 'ScaledJob' ? scaler.name : at(scaler.body, 'spec.scaleTargetRef.name')
  return workloads.find(one => one.name === name && one.namespace === scaler.namespace)
}

function* triggerFaults(
  world: World,
  scaler: Document,
  target: Workload | undefined,
  trigger: Fields,
): Generator<Complaint> {
  const metadata = fields(trigger['metadata'])
  if (text(trigger['type'])?.startsWith('redis') === true) {
    const key = text(metadata['listName']) ?? ''
    yield warning(
      scaler,
      `scales by the length of ${key}: jobs that are delayed, prioritized or running are not in it, and a key that is not there counts as 0`,
      'trigger metrics-api, at /v1/queues/<queue>/scale of runner serve',
    )
  }
  const url = URL.parse(text(metadata['url']) ?? '')
  const [, encoded] = /^\/v1\/queues\/([^/]+)\/scale$/.exec(url?.pathname ?? '') ?? []
  if (trigger['type'] !== 'metrics-api') return
  if (url === null || encoded === undefined) {
    if (text(metadata['url'])?.includes('/queues/') === true)
      yield error(
        scaler,
        `runner serve has no ${url?.pathname ?? 'such address'}`,
        'url: http://<service>.<namespace>.svc:9090/v1/queues/<queue>/scale',
      )
    return
  }
  yield* serviceFaults(world, scaler, url)
  yield* queueFaults(world, scaler, target, decodeURIComponent(encoded))
  const figure = scaler.kind === 'ScaledJob' ? 'pods' : 'desiredReplicas'
  if (metadata['valueLocation'] !== figure)
    yield error(scaler, `valueLocation ${String(metadata['valueLocation'])}`, `valueLocation: ${figure}`)
  if (String(metadata['targetValue']) !== '1' || (trigger['metricType'] ?? 'AverageValue') !== 'AverageValue')
    yield error(
      scaler,
      'the figure is a number of replicas, and is not taken as that',
      "metricType: AverageValue, targetValue: '1'",
    )
}

function* serviceFaults(
  { documents }: World,
  scaler: Document,
  { hostname, port }: URL,
): Generator<Complaint> {
  const [name, namespace = scaler.namespace] = hostname.split('.')
  // It is KEDA that asks, from a namespace of its own.
  if (!hostname.includes('.')) {
    const told = `asks ${hostname}, which KEDA looks for in its own namespace`
    yield error(scaler, told, `http://${hostname}.${scaler.namespace}.svc:${port || '80'}`)
    return
  }
  const service = documents.find(
    one => one.kind === 'Service' && one.name === name && one.namespace === namespace,
  )
  if (service === undefined)
    yield error(
      scaler,
      `asks ${hostname}: there is no Service ${name} in ${namespace}`,
      'the Service of runner serve, with its namespace',
    )
  else if (
    !list(at(service.body, 'spec.ports')).some(entry => String(fields(entry)['port']) === (port || '80'))
  )
    yield error(
      scaler,
      `asks port ${port || '80'}, which ${service.object} does not have`,
      'a port of the Service',
    )
}

function* queueFaults(
  { config }: World,
  scaler: Document,
  target: Workload | undefined,
  queue: string,
): Generator<Complaint> {
  if (target === undefined) return
  const worked = settingOf(target.run, 'queues', config).map(queueNameOf)
  if (worked.length > 0 && !worked.includes(queue))
    yield error(
      scaler,
      `scales by the queue ${queue}, and ${target.object} works ${worked.join(', ')}`,
      'a queue that it works',
    )
}

function* metricFaults(
  world: World,
  scaler: Document,
  target: Workload | undefined,
  metric: Fields,
): Generator<Complaint> {
  const { type, external } = metric
  if (type === 'Resource' && target?.run.verb === 'work')
    return yield warning(
      scaler,
      'scales by cores or memory: replicas that wait for a network stay few whatever waits for them',
      `external metric ${SCALE_METRIC}`,
    )
  if (type !== 'External') return undefined
  const { name, selector } = fields(at(fields(external), 'metric'))
  if (name !== SCALE_METRIC) return undefined
  const queue = text(at(fields(selector), 'matchLabels.queue'))
  if (queue === undefined)
    yield error(scaler, `${SCALE_METRIC} of all queues`, 'selector: { matchLabels: { queue } }')
  else yield* queueFaults(world, scaler, target, queue)
  const { type: how, averageValue } = fields(at(fields(external), 'target'))
  if (how !== 'AverageValue' || String(averageValue) !== '1')
    yield error(
      scaler,
      'the figure is a number of replicas, and is not taken as that',
      "target: { type: AverageValue, averageValue: '1' }",
    )
  return undefined
}

function* behaviorFaults(scaler: Document): Generator<Complaint> {
  const path = scaler.kind === 'ScaledObject' ? 'spec.advanced.horizontalPodAutoscalerConfig.' : 'spec.'
  const window = number(at(scaler.body, `${path}behavior.scaleDown.stabilizationWindowSeconds`))
  if (window !== undefined && window < LEAST_WINDOW)
    yield warning(
      scaler,
      `scaleDown.stabilizationWindowSeconds ${window}: pods come and go with each lull, and busy ones are evicted`,
      'stabilizationWindowSeconds: 300',
    )
}
