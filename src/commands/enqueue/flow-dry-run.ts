/** `runner enqueue --flow --dry-run`: what would be added. */
import type { Config } from '../../config.ts'
import { toJobsOptions } from '../../job/enqueue-options.ts'
import type { CheckedFlow } from '../../job/flow-check.ts'
import type { JobEntry } from '../../job/manifest.ts'
import { shorten } from '../../job/problem.ts'
import { Redaction } from '../../job/redaction.ts'
import { textTree } from '../../tree.ts'
import type { Output } from '../output.ts'
import { nodesOf } from './flow-queues.ts'

/** What is known of each of its jobs. */
export type EntryOf = (name: string) => JobEntry

/** What BullMQ would be told of one job. */
interface PlannedNode {
  name: string
  queue: string
  payload: unknown
  options: object
  onFail?: string
  children: PlannedNode[]
}

export function showPlan(flow: CheckedFlow, entryOf: EntryOf, { redact }: Config, output: Output): void {
  const plan = (node: CheckedFlow, isRoot: boolean): PlannedNode => ({
    name: node.name,
    queue: queueOf(node, entryOf),
    payload: JSON.parse(node.payload) as unknown,
    options: toJobsOptions(entryOf(node.name), node.options),
    ...(!isRoot && { onFail: node.onFail ?? 'fail-parent' }),
    children: node.children.map(child => plan(child, false)),
  })
  const root = plan(flow, true)
  const hidden = new Redaction(redact)
  const tree = textTree(root, {
    labelOf: ({ name, queue, payload }) => `${name} on queue ${queue} ${shorten(hidden.apply(payload))}`,
    childrenOf: ({ children }) => children,
  })
  output.print(`would enqueue ${countOf(flow)}\n${tree}`, root)
}

export const queueOf = ({ name, options }: CheckedFlow, entryOf: EntryOf): string =>
  options.queue ?? entryOf(name).queue

export function countOf(flow: CheckedFlow): string {
  const { length } = nodesOf(flow)
  return `a flow of ${length} ${length === 1 ? 'job' : 'jobs'}`
}
