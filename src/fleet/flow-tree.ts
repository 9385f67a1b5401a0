/** A flow as it stands in Redis: from any of its jobs up to the root, and down again. */
import type { JobState, Queue } from 'bullmq'
import { RunnerError } from '../errors.ts'
import { textTree } from '../tree.ts'
import { byPlace, placeOf } from './flow-id.ts'

export interface FlowNode {
  /** Absent when the job is no longer kept and its id does not say it. */
  name?: string
  id: string
  queue: string
  /** 'gone': no longer kept, and nobody knows what became of it. */
  state: JobState | 'gone'
  failedReason?: string
  /** The one that was asked for. */
  asked?: true
  /** Of the topmost one: its parent, which is no longer kept. */
  parentGone?: { id: string; queue: string }
  children: FlowNode[]
  /** So many children are not shown, and what is below them. */
  cut?: number
}

export interface FlowTreeLimits {
  /** Jobs that are shown in all. Default 1000. */
  jobs?: number
  /** Levels below the root. Default 20. */
  levels?: number
}

/** Jobs above one: a flow of ours has at most 100 levels. A ring, which BullMQ does not prevent, ends here too. */
const HIGHEST = 100

/** `queue`: where the job is; its other jobs may be anywhere under the same prefix. Throws JOB_NOT_FOUND. */
export async function readFlowTree(
  queue: Queue,
  id: string,
  { jobs = 1000, levels = 20 }: FlowTreeLimits = {},
): Promise<FlowNode> {
  const reader = new Reader(queue)
  const asked = queue.toKey(id)
  const { root, parentGone } = await reader.rootOf(asked)
  const [top] = await reader.nodes([{ key: root }], asked)
  if (parentGone !== undefined) top!.parentGone = parentGone
  let room = jobs - 1
  let level = [top!]
  for (let depth = 0; level.length > 0; depth++) {
    const below = await Promise.all(level.map(node => reader.childrenOf(node)))
    const next: FlowNode[] = []
    for (const [i, node] of level.entries()) {
      const found = below[i]!
      const shown = depth < levels ? found.slice(0, room) : []
      room -= shown.length
      if (shown.length < found.length) node.cut = found.length - shown.length
      node.children = await reader.nodes(shown, asked)
      next.push(...node.children)
    }
    level = next
  }
  return top!
}

/** As `tree` prints folders; the job that was asked for is marked. */
export function flowTreeText(root: FlowNode): string {
  const above = root.parentGone
  const tree = textTree<FlowNode | number>(root, {
    labelOf: node => (typeof node === 'number' ? `${node} more` : labelOf(node)),
    childrenOf: node =>
      typeof node === 'number' ? [] : [...node.children, ...(node.cut === undefined ? [] : [node.cut])],
  })
  return above === undefined ? tree : `(below ${above.id} on queue ${above.queue}, which is gone)\n${tree}`
}

function labelOf({ name, id, queue, state, failedReason, asked }: FlowNode): string {
  // Its id says the name already.
  const job = name === undefined || placeOf(id)?.name === name ? id : `${name} ${id}`
  const [reason] = failedReason?.split('\n') ?? []
  return `${job}  ${queue}  ${state}${reason === undefined ? '' : `: ${reason}`}${asked === true ? '  <--' : ''}`
}

/** What a parent says of a child; it knows more than that where the child is gone. */
interface Ref {
  key: string
  state?: 'completed' | 'failed'
  reason?: string
}

class Reader {
  readonly #queue: Queue
  readonly #backends = new Map<string, ReturnType<ReturnType<Queue['getBackend']>['forQueue']>>()

  constructor(queue: Queue) {
    this.#queue = queue
  }

  async rootOf(asked: string): Promise<{ root: string; parentGone?: { id: string; queue: string } }> {
    let root = asked
    for (let height = 0; height < HIGHEST; height++) {
      const [name, parent] = await this.#read(root, 'name', 'parentKey')
      if (name === null && root === asked) throw this.#missing(asked)
      if (!parent) break
      const [above] = await this.#read(parent, 'name')
      if (above === null) return { root, parentGone: this.#refOf(parent) }
      root = parent
    }
    return { root }
  }

  nodes(refs: readonly Ref[], asked: string): Promise<FlowNode[]> {
    return Promise.all(refs.map(ref => this.#node(ref, asked)))
  }

  /** In the order of the flow. */
  async childrenOf({ id, queue }: FlowNode): Promise<Ref[]> {
    const found = await this.#backendOf(queue).getDependencies(id, {})
    const { processed = {}, ignored = {}, failed = [], unprocessed = [] } = found
    const refs: Ref[] = [
      ...unprocessed.map(key => ({ key })),
      ...Object.keys(processed).map(key => ({ key, state: 'completed' as const })),
      ...Object.entries(ignored).map(([key, reason]) => ({
        key,
        state: 'failed' as const,
        reason: reason as string,
      })),
      ...failed.map(key => ({ key, state: 'failed' as const })),
    ]
    const placed = refs.map(ref => ({ ref, id: this.#refOf(ref.key).id }))
    return placed.sort(byPlace).map(({ ref }) => ref)
  }

  async #node({ key, state: told, reason }: Ref, asked: string): Promise<FlowNode> {
    const { id, queue } = this.#refOf(key)
    const [[kept, failedReason], state] = await Promise.all([
      this.#read(key, 'name', 'failedReason'),
      this.#backendOf(queue).getState(id),
    ])
    const name = kept ?? placeOf(id)?.name
    const why = failedReason ?? reason
    return {
      ...(name === undefined ? {} : { name }),
      id,
      queue,
      state: state === 'unknown' ? (told ?? 'gone') : state,
      ...(why === undefined || why === '' ? {} : { failedReason: why }),
      ...(key === asked && { asked: true }),
      children: [],
    }
  }

  async #read(key: string, ...fields: string[]): Promise<(string | null)[]> {
    const client = await this.#queue.getBackend().client
    return client.hmget(key, ...fields)
  }

  #refOf(key: string): { id: string; queue: string } {
    const { id, queueName } = this.#queue.getBackend().parseNodeKey(key)
    return { id, queue: queueName }
  }

  #backendOf(queue: string) {
    const backend =
      this.#backends.get(queue) ?? this.#queue.getBackend().forQueue(queue, this.#queue.opts.prefix)
    this.#backends.set(queue, backend)
    return backend
  }

  #missing(key: string): RunnerError {
    const { id, queue } = this.#refOf(key)
    return new RunnerError('JOB_NOT_FOUND', `job ${id} is not in queue ${queue}`)
  }
}
