/**
 * Adds flows: all jobs of one in one transaction, or none. Their payloads were checked before and stay text here.
 *
 * BullMQ would take an id that is there already for a job of the flow that needs no adding, and add the rest. So ids that
 * somebody chose are looked up first, and watched until the transaction. A connection has one set of watched keys: hence
 * one of our own, and one flow after the other.
 */
import type { Cluster, Redis } from 'ioredis'
import { RunnerError } from '../errors.ts'
import type { AddedFlow } from '../job/flow.ts'
import type { CheckedFlow } from '../job/flow-check.ts'
import { FileIndex } from '../redis/file-index.ts'
import { flowPlan, type Chosen, type EntryOf, type FlowPlan } from './flow-plan.ts'
import { allOrNothing, BrokenOff, RawFlowProducer } from './flow-transaction.ts'

/** Transactions that were broken off, in a row, because somebody else had added or removed a job with a chosen id. */
const TRIES = 5

export class Flows {
  readonly #connect: () => Redis | Cluster
  readonly #prefix: string
  readonly #onError: (error: Error) => void
  #client: Redis | Cluster | undefined
  #producer: RawFlowProducer | undefined
  #last: Promise<unknown> = Promise.resolve()

  /** `connect`: called with the first flow. */
  constructor(connect: () => Redis | Cluster, prefix: string, onError: (error: Error) => void) {
    this.#connect = connect
    this.#prefix = prefix
    this.#onError = onError
  }

  /** Rejects with FLOW_ID_TAKEN when another job than the root has an id that is there already. */
  add(flow: CheckedFlow, entryOf: EntryOf): Promise<AddedFlow> {
    const adding = this.#last.then(() => this.#add(flowPlan(flow, entryOf, this.#prefix)))
    this.#last = adding.catch(() => undefined)
    return adding
  }

  async close(): Promise<void> {
    await this.#producer?.close()
    this.#client?.disconnect()
  }

  async #add({ job, ids, chosen, files }: FlowPlan): Promise<AddedFlow> {
    const client = (this.#client ??= this.#connect())
    const producer = (this.#producer ??= this.#open(client))
    // Before what is watched: a command of ours between the watch and the transaction is one more that may fail.
    await new FileIndex(client, this.#prefix).add(files)
    for (let tries = 1; ; tries++) {
      const taken = await this.#taken(client, chosen)
      if (taken !== undefined && taken.isRoot) return { id: ids.id, added: false, children: [] }
      if (taken !== undefined) {
        const where = `job ${taken.id} is on queue ${taken.queue} already`
        throw new RunnerError('FLOW_ID_TAKEN', `the flow is refused: ${where}`, {
          hint: 'it cannot be a part of another flow too: choose another id, or none',
          details: { id: taken.id, queue: taken.queue },
        })
      }
      try {
        await producer.add(job)
        return { ...ids, added: true }
      } catch (error) {
        // Nothing was watched: that was no broken transaction.
        if (error instanceof BrokenOff && chosen.size === 0) throw error.cause
        if (!(error instanceof BrokenOff) || tries === TRIES) throw error
      }
    }
  }

  /** The first whose id is there already, the root before any other. Watches all of them. */
  async #taken(client: Redis | Cluster, chosen: FlowPlan['chosen']): Promise<Chosen | undefined> {
    if (chosen.size === 0) return undefined
    await client.watch(...chosen.keys())
    const jobs = [...chosen]
    const there = await Promise.all(jobs.map(([key]) => client.exists(key)))
    const [key, taken] = jobs.find((_, i) => there[i] === 1) ?? []
    // What ends the watch: UNWATCH names no key, and a Cluster would send it to any of its nodes.
    if (key !== undefined) await client.multi().exists(key).exec()
    return taken
  }

  #open(client: Redis | Cluster): RawFlowProducer {
    const producer = new RawFlowProducer({ connection: client, prefix: this.#prefix }, allOrNothing)
    producer.on('error', this.#onError)
    return producer
  }
}
