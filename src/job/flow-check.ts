/** Looks through all of a flow before any of it is added: names, ids, and each payload by its job's schema. */
import { ArgsError, RunnerError } from '../errors.ts'
import { didYouMean } from '../suggestion.ts'
import { payloadJson } from './args.ts'
import type { EnqueueOptions } from './context.ts'
import { idFault } from './enqueue-options.ts'
import { flowRefused, type Flow, type OnFail } from './flow.ts'
import type { Verdict } from './loader-messages.ts'
import type { JobEntry } from './manifest.ts'
import { Redaction } from './redaction.ts'
import { printPath, shorten, type Problem } from './problem.ts'

/** Bytes of the payloads of one flow: they cross to the supervisor, and to Redis, as one message. */
const MAX_PAYLOADS = 16 * 1024 * 1024

/** The jobs that there are, as whoever has loaded them knows them. */
export interface FlowJobs {
  names(): Iterable<string>
  entryOf(name: string): JobEntry | undefined
  /** One verdict for each JSON text; `null` where it is fine. */
  check(name: string, payloads: string[]): Promise<Verdict[]>
}

/** One job of a flow whose payload is checked, and is JSON text from here to Redis. */
export interface CheckedFlow {
  name: string
  payload: string
  options: EnqueueOptions
  onFail?: OnFail
  children: CheckedFlow[]
}

interface Place {
  path: PropertyKey[]
  given: Flow
  checked: CheckedFlow
  faults: Problem[]
}

/** Throws FLOW_INVALID, which lists every fault by its path. `redact`: fields whose values no message shows. */
export async function checkFlow(
  flow: Flow,
  jobs: FlowJobs,
  redact: readonly string[] = [],
): Promise<CheckedFlow> {
  const places: Place[] = []
  const root = place(flow, [], places)
  if (root.onFail !== undefined) fault(places[0]!, 'onFail', root.onFail, 'the root of a flow has no parent')
  for (const one of places) checkJob(one, jobs)
  refuseTwins(places, jobs)
  const written = places.filter(one => writePayload(one, redact))
  await checkPayloads(written, jobs, new Redaction(redact))
  const faults = places.flatMap(one => one.faults)
  if (faults.length > 0) throw flowRefused(faults)
  const bytes = places.reduce((sum, { checked }) => sum + Buffer.byteLength(checked.payload), 0)
  if (bytes <= MAX_PAYLOADS) return root
  const size = `its payloads are ${bytes} bytes of JSON in all, ${MAX_PAYLOADS} are allowed`
  throw new RunnerError(
    'FLOW_INVALID',
    `the flow is refused: ${size}; store them elsewhere and add their places`,
  )
}

function place(given: Flow, path: PropertyKey[], places: Place[]): CheckedFlow {
  const { job, args: _args, onFail, children = [], ...options } = given
  const checked: CheckedFlow = { name: job, payload: '{}', options, children: [] }
  if (onFail !== undefined) checked.onFail = onFail
  places.push({ path, given, checked, faults: [] })
  checked.children = children.map((child, i) => place(child, [...path, 'children', i], places))
  return checked
}

function fault({ path, faults }: Place, field: string, value: unknown, rule: string): void {
  faults.push({ path: printPath([...path, field]), value: shorten(value), rule })
}

function checkJob(one: Place, jobs: FlowJobs): void {
  const { job, id } = one.given
  const entry = jobs.entryOf(job)
  if (entry === undefined) {
    const { hint } = didYouMean(job, jobs.names())
    fault(one, 'job', job, `no job is named so${hint === undefined ? '' : `: ${hint}`}`)
  } else if (entry.kind === 'migration' && one.path.length > 0)
    fault(one, 'job', job, 'a migration can only be the root: its job is over when its run has begun')
  const wrong = id === undefined ? undefined : idFault(id)
  if (wrong !== undefined) fault(one, 'id', id, wrong.fault)
}

/** Of two jobs with one id BullMQ adds the first only. */
function refuseTwins(places: readonly Place[], jobs: FlowJobs): void {
  const seen = new Map<string, string>()
  for (const one of places) {
    const { id, job, queue = jobs.entryOf(job)?.queue } = one.given
    if (id === undefined) continue
    const key = `${queue}:${id}`
    const twin = seen.get(key)
    if (twin === undefined) seen.set(key, printPath([...one.path, 'id']))
    else fault(one, 'id', id, `this is also ${twin}, on queue ${queue}`)
  }
}

/** False when it is no JSON, or too long: then there is nothing to check. */
function writePayload({ given, checked, path, faults }: Place, redact: readonly string[]): boolean {
  try {
    checked.payload = payloadJson(given.job, given.args ?? {}, { redact })
    return true
  } catch (error) {
    if (!(error instanceof ArgsError)) throw error
    faults.push(...inArgs(path, error.details as Problem[]))
    return false
  }
}

/** Job by job, many payloads at once: where they are checked may be another thread. */
async function checkPayloads(places: readonly Place[], jobs: FlowJobs, redaction: Redaction): Promise<void> {
  const known = places.filter(({ given }) => jobs.entryOf(given.job) !== undefined)
  const checks = [...Map.groupBy(known, ({ given }) => given.job)].map(async ([name, group]) => {
    const verdicts = await jobs.check(
      name,
      group.map(({ checked }) => checked.payload),
    )
    for (const [i, verdict] of verdicts.entries()) {
      const one = group[i]!
      if (verdict === null) continue
      const whole = [{ path: '', value: shorten(redaction.apply(one.given.args)), rule: verdict.message }]
      one.faults.push(...inArgs(one.path, (verdict.details as Problem[] | undefined) ?? whole))
    }
  })
  await Promise.all(checks)
}

function inArgs(path: readonly PropertyKey[], problems: readonly Problem[]): Problem[] {
  const args = printPath([...path, 'args'])
  const join = (inner: string) => (inner === '' || inner.startsWith('[') ? args + inner : `${args}.${inner}`)
  return problems.map(problem => ({ ...problem, path: join(problem.path) }))
}
