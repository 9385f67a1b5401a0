/**
 * Adds flows: all jobs of one in one transaction, or none. Their payloads were checked before and stay text here.
 *
 * BullMQ would take an id that is there already for a job of the flow that needs no adding, and add the rest. So ids that
 * somebody chose are looked up first, and watched until the transaction. A connection has one set of watched keys: hence
 * one of our own, and one flow after the other.
 */
import { createRedisBackend, FlowProducer, type FlowJob, type Job, type JobsOptions } from 'bullmq'
import type { RedisQueueBackend } from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import { RunnerError } from '../errors.ts'
import { toJobsOptions } from '../job/enqueue-options.ts'
import type { AddedFlow, FlowIds, OnFail } from '../job/flow.ts'
import type { CheckedFlow } from '../job/flow-check.ts'
import type { JobEntry } from '../job/manifest.ts'
import { flowId, flowToken } from './flow-id.ts'
import { RawPayload, RawPayloadJob } from './raw-payload.ts'

/** Transactions that were broken off, in a row, because somebody else had added or removed a job with a chosen id. */
const TRIES = 5

const FATES: Record<OnFail, keyof JobsOptions> = {
  'fail-parent': 'failParentOnFailure',
  ignore: 'ignoreDependencyOnFailure',
  remove: 'removeDependencyOnFailure',
  continue: 'continueParentOnFailure',
}

/** What is known of the jobs of a flow. Throws JOB_UNKNOWN for a name that is not. */
export type EntryOf = (name: string) => Pick<JobEntry, 'queue'> & Partial<JobEntry>

interface Plan {
  job: FlowJob
  ids: FlowIds
  /** Keys of the jobs whose ids were chosen. */
  chosen: Map<string, { id: string; queue: string; isRoot: boolean }>
}

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
    const adding = this.#last.then(() => this.#add(planOf(flow, entryOf, this.#prefix)))
    this.#last = adding.catch(() => undefined)
    return adding
  }

  async close(): Promise<void> {
    await this.#producer?.close()
    this.#client?.disconnect()
  }

  async #add({ job, ids, chosen }: Plan): Promise<AddedFlow> {
    const client = (this.#client ??= this.#connect())
    const producer = (this.#producer ??= this.#open(client))
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
        if (!(error instanceof BrokenOff) || tries === TRIES) throw error
      }
    }
  }

  /** The first whose id is there already, the root before any other. Watches all of them. */
  async #taken(client: Redis | Cluster, chosen: Plan['chosen']) {
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

function planOf(flow: CheckedFlow, entryOf: EntryOf, prefix: string): Plan {
  const token = flowToken()
  const chosen: Plan['chosen'] = new Map()
  let place = 0
  const plan = (checked: CheckedFlow): Pick<Plan, 'job' | 'ids'> => {
    const { name, payload, options, onFail = 'fail-parent', children } = checked
    const isRoot = place === 0
    const entry = entryOf(name)
    const queue = options.queue ?? entry.queue
    const id = options.id ?? flowId({ name, place }, token)
    place++
    if (options.id !== undefined) chosen.set(`${prefix}:${queue}:${id}`, { id, queue, isRoot })
    const opts = { ...toJobsOptions(entry, options), jobId: id, ...(!isRoot && { [FATES[onFail]]: true }) }
    const planned = children.map(plan)
    const job: FlowJob = {
      name,
      queueName: queue,
      data: new RawPayload(payload),
      opts,
      ...(planned.length > 0 && { children: planned.map(child => child.job as never) }),
    }
    const ids: FlowIds = { id, children: planned.map(child => child.ids) }
    return { job, ids }
  }
  return { ...plan(flow), chosen }
}

class RawFlowProducer extends FlowProducer {
  protected override get Job(): typeof Job {
    return RawPayloadJob as typeof Job
  }
}

/** A chosen id came or went between the look and the transaction: Redis did nothing. */
class BrokenOff extends Error {
  override name = 'BrokenOff'
}

/** BullMQ's Redis backend, which tells a transaction that was broken off, and what Redis answered to any of its jobs. */
const allOrNothing = (...[name, options, kind]: Parameters<typeof createRedisBackend>): RedisQueueBackend => {
  const backend = createRedisBackend(name, options, kind)
  const addFlow = backend.addFlow.bind(backend)
  backend.addFlow = async entries => {
    let results: Awaited<ReturnType<typeof addFlow>>
    try {
      results = await addFlow(entries)
    } catch (error) {
      // Redis answers null then, which BullMQ takes for the list of results.
      if (error instanceof TypeError) throw new BrokenOff('ids of the flow come and go', { cause: error })
      // Of what Redis did not even queue: a full one says OOM.
      throw (error as { previousErrors?: Error[] }).previousErrors?.[0] ?? error
    }
    for (const [i, [error, answer]] of (results ?? []).entries()) {
      if (error !== null) throw error
      if (typeof answer === 'number' && answer < 0)
        throw new Error(`BullMQ refused job ${entries[i]?.jobId} of the flow with code ${answer}`)
    }
    return results
  }
  return backend
}
