/** `runner enqueue --flow`: jobs of which some wait for others. All of them are added, or none. */
import type { Config } from '../../config.ts'
import { RunnerError } from '../../errors.ts'
import { readFlow, type FlowIds } from '../../job/flow.ts'
import { checkFlow, type CheckedFlow } from '../../job/flow-check.ts'
import type { Replica } from '../../redis/replicas.ts'
import { textTree } from '../../tree.ts'
import { countOf, queueOf, showPlan, type EntryOf } from './flow-dry-run.ts'
import { readFlowInput } from './flow-input.ts'
import { openFlowJobs } from './flow-jobs.ts'
import { placed } from './flow-queues.ts'
import { timeoutOf } from './one.ts'
import type { EnqueueFlags } from './options.ts'
import type { QueueChoice } from '../../enqueue/queue-choice.ts'
import type { CliContext } from '../verbs.ts'

interface FlowRequest {
  config: Config
  context: CliContext
  flags: EnqueueFlags
  /** The value of --flow. */
  given: string
}

/** A flow says everything of its jobs itself. */
export function refuseBesides(words: readonly string[], flags: EnqueueFlags): void {
  const { data, file, queue, delay, priority, attempts, id, dedupe, schema } = flags
  const given = Object.entries({ data, file, queue, delay, priority, attempts, id, dedupe })
  const [flag] = given.find(([, value]) => value !== undefined) ?? []
  const beside =
    words[0] ?? (flag === undefined ? undefined : `--${flag}`) ?? (schema ? undefined : '--no-schema')
  if (beside === undefined) return
  throw new RunnerError('USAGE', `${beside} does not go with --flow`, {
    hint: 'each job of a flow says it itself: { "job": "report", "args": {}, "queue": "x", "children": [] }',
  })
}

/** Checks all of it before it connects. */
export async function enqueueFlow({ config, context, flags, given }: FlowRequest): Promise<void> {
  const waits = flags.wait === true || flags.follow === true
  const timeout = timeoutOf(flags, waits)
  const read = readFlow(await readFlowInput(given, config.redact), config.redact)
  await using jobs = await openFlowJobs(config, read)
  const flow = await checkFlow(read, jobs, config.redact)
  // What the files opened at import is not kept open while the flow is followed.
  await jobs.close()
  const known: EntryOf = name => jobs.entryOf(name)!
  if (flags.dryRun === true) return showPlan(flow, known, config, context)
  // BullMQ is half of what this command imports: not for what is refused or only shown.
  const [{ openQueue }, { Flows }] = await Promise.all([
    import('../../enqueue/queue-client.ts'),
    import('../../fleet/flows.ts'),
  ])
  let entryOf = known
  const place = (live: Replica[]): QueueChoice => {
    entryOf = placed(flow, known, live, context.note)
    return { queue: queueOf(flow, entryOf) }
  }
  await using client = await openQueue(config, place, context)
  const events = waits ? await client.events() : undefined
  const { redis, queue } = client
  const flows = new Flows(
    () => redis.connect('flows'),
    redis.prefix,
    () => {},
  )
  const added = await flows.add(flow, entryOf)
  const name = added.added ? flow.name : ((await queue.getJob(added.id))?.name ?? flow.name)
  const root: AddedNode = { ...addedNode(flow, added, entryOf), name }
  const line = added.added
    ? `enqueued ${countOf(flow)}\n${treeOf(root)}`
    : `${name} ${added.id} is on queue ${root.queue} already: nothing was added`
  if (events === undefined) {
    const { children, ...rest } = root
    return context.print(line, { ...rest, added: added.added, children })
  }
  // Stdout is for what the root returns.
  context.note(added.added ? line : `${line}; what follows is of that earlier job`)
  const { follow } = await import('./follow.ts')
  const { id, queue: at } = root
  const shows = flags.follow === true
  await follow({ id, name, queue: at, added: added.added, client, events, context, timeout, shows })
}

interface AddedNode {
  id: string
  name: string
  queue: string
  children: AddedNode[]
}

function addedNode(flow: CheckedFlow, { id, children }: FlowIds, entryOf: EntryOf): AddedNode {
  return {
    id,
    name: flow.name,
    queue: queueOf(flow, entryOf),
    children: children.map((ids, i) => addedNode(flow.children[i]!, ids, entryOf)),
  }
}

const treeOf = (root: AddedNode): string =>
  textTree(root, {
    labelOf: ({ name, id, queue }) => `${name} ${id} on queue ${queue}`,
    childrenOf: ({ children }) => children,
  })
