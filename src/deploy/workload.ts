/** What of a manifest makes pods, and which of these call `runner`. */
import { at, fields, list, text, type Document, type Fields } from './documents.ts'
import { invocationOf, type Invocation } from './invocation.ts'

/** Where each kind has the pods that it makes. */
const TEMPLATES: Record<string, string> = {
  Deployment: 'spec.template',
  StatefulSet: 'spec.template',
  DaemonSet: 'spec.template',
  ReplicaSet: 'spec.template',
  Job: 'spec.template',
  CronJob: 'spec.jobTemplate.spec.template',
  ScaledJob: 'spec.jobTargetRef.template',
}
/** Their pods end by themselves. */
const UNTIL_DONE = new Set(['Job', 'CronJob', 'ScaledJob', 'Pod'])

export interface PodMaker extends Document {
  labels: Readonly<Record<string, string>>
  /** `spec` of the pod. */
  pod: Fields
  containers: Fields[]
  endsByItself: boolean
}

/** A pod maker one of whose containers calls `runner work` or `runner serve`. */
export interface Workload extends PodMaker {
  container: Fields
  run: Invocation
}

export function podMakersOf(documents: readonly Document[]): PodMaker[] {
  return documents.flatMap(document => {
    const path = TEMPLATES[document.kind]
    if (path === undefined && document.kind !== 'Pod') return []
    const template = path === undefined ? document.body : fields(at(document.body, path))
    const labels = Object.entries(fields(at(template, 'metadata.labels'))).map(([key, value]) => [
      key,
      String(value),
    ])
    return {
      ...document,
      labels: Object.fromEntries(labels) as Record<string, string>,
      pod: fields(template['spec']),
      containers: list(at(template, 'spec.containers')).map(fields),
      endsByItself: UNTIL_DONE.has(document.kind),
    }
  })
}

export function workloadsOf(makers: readonly PodMaker[]): Workload[] {
  return makers.flatMap(maker => {
    const [found] = maker.containers
      .map(container => ({ container, run: invocationOf(container) }))
      .filter(({ container, run }) => run.verb !== undefined || mayBeOurs(container, run))
    return found === undefined ? [] : [{ ...maker, ...found }]
  })
}

/** `npm run worker` hides what it calls. */
const mayBeOurs = (container: Fields, { shell, env }: Invocation): boolean =>
  shell !== undefined && (env.has('REDIS_URL') || /worker|runner/.test(text(container['name']) ?? ''))

/** The containerPort that a port of a probe or a Service means. */
export function portOf(container: Fields, port: unknown): number | undefined {
  if (typeof port === 'number') return port
  const named = list(container['ports'])
    .map(fields)
    .find(({ name }) => name === port)
  return typeof named?.['containerPort'] === 'number' ? named['containerPort'] : undefined
}

/** Whether a LabelSelector takes a pod; an empty one takes all. */
export function selects(selector: Fields, labels: Readonly<Record<string, string>>): boolean {
  const isEqual = Object.entries(fields(selector['matchLabels'])).every(
    ([key, value]) => labels[key] === value,
  )
  return (
    isEqual &&
    list(selector['matchExpressions'])
      .map(fields)
      .every(one => holds(one, labels))
  )
}

function holds({ key, operator, values }: Fields, labels: Readonly<Record<string, string>>): boolean {
  const label = labels[String(key)]
  if (operator === 'Exists') return label !== undefined
  if (operator === 'DoesNotExist') return label === undefined
  const isIn = label !== undefined && list(values).includes(label)
  return operator === 'In' ? isIn : !isIn
}
