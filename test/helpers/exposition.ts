/** All that a replica and the service of queues may tell Prometheus, once: what dashboards and alerts can ask for. */
import { END_CAUSES, Events } from '../../src/observe/events.ts'
import { queueMetrics } from '../../src/observe/metrics/queue-metrics.ts'
import { replicaMetrics } from '../../src/observe/metrics/replica-metrics.ts'

/** By name of a series: each of its labels, with the values that were seen. */
export type Exposition = Map<string, Map<string, Set<string>>>

export async function fullExposition(): Promise<Exposition> {
  const events = new Events()
  const replica = replicaMetrics(events, {
    isHandler: () => true,
    slots: { mail: 1 },
    slotsUsed: { mail: 1 },
    executors: [{ id: 1, state: 'ready' }],
    blocked: 0,
    abandoned: 0,
    draining: false,
    residentBytes: async () => 1,
  })
  events.emit('run.started', { queue: 'mail', job: 'send', wait: 1 })
  events.emit('locks.renewed', { queue: 'mail', delay: 1, roundTrip: 1 })
  events.emit('executor.turned', 100)
  events.emit('migration.progressed', { job: 'fill', rows: 1, batch: 1 })
  events.emit('verdict.changed', { verdict: 'wedged', was: 'starting', why: '' })
  for (const cause of END_CAUSES)
    events.emit('executor.ended', { executor: 1, cause, reason: '', handedBack: 0 })
  const queues = queueMetrics(
    async () => ({
      queues: [
        {
          queue: 'mail',
          waiting: 1,
          prioritized: 1,
          active: 1,
          delayed: 1,
          waitingChildren: 1,
          completed: 1,
          failed: 1,
          dueDelayed: 1,
          oldestAge: 1,
          paused: false,
          drain: 1,
          desiredReplicas: 1,
          wantedReplicas: 1,
          maxReplicas: 1,
        },
      ],
      schedules: [{ queue: 'mail', schedule: 'hourly', nextRun: 1 }],
    }),
    error => {
      throw error
    },
  )
  return read(`${await replica.metrics()}${await queues.metrics()}`)
}

function read(text: string): Exposition {
  const all: Exposition = new Map()
  for (const line of text.split('\n')) {
    const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? []
    if (name === undefined) continue
    const known = all.get(name) ?? new Map<string, Set<string>>()
    all.set(name, known)
    for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g))
      known.set(label, (known.get(label) ?? new Set()).add(value))
  }
  return all
}

/** Labels that Prometheus adds to what it reads. */
const TARGET = ['instance', 'job', 'namespace']
/** Labels whose values are ours, not a user's. */
const CLOSED = ['outcome', 'state', 'cause', 'kind', 'verdict', 'reason']

/** What this PromQL asks for that nobody tells: in words, empty when all is well. */
export function unknownIn(promql: string, all: Exposition): string[] {
  const faults: string[] = []
  for (const [, name = '', selector = ''] of promql.matchAll(/\b((?:runner|process)_\w+)(?:\{([^}]*)\})?/g)) {
    const labels = all.get(name)
    if (labels === undefined) faults.push(`no series ${name}`)
    for (const [, label = '', how = '', value = ''] of selector.matchAll(/(\w+)(=~?)"([^"]*)"/g)) {
      const values = labels?.get(label)
      if (TARGET.includes(label)) continue
      if (values === undefined) faults.push(`${name} has no label ${label}`)
      else if (CLOSED.includes(label))
        for (const word of how === '=~' ? value.split('|') : [value])
          if (!values.has(word)) faults.push(`${name} has no ${label} ${word}`)
    }
  }
  const known = new Set([...all.values()].flatMap(labels => [...labels.keys()]))
  for (const [, by = ''] of promql.matchAll(/\b(?:by|on) \(([^)]*)\)/g))
    for (const label of by.split(/, */).filter(Boolean))
      if (!known.has(label) && !TARGET.includes(label)) faults.push(`nothing has the label ${label}`)
  return faults
}
