/** BullMQ's producer of flows: payloads stay text, the event loop turns meanwhile, and a refusal is told. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createRedisBackend, FlowProducer, type Job, type JobNode, type RedisQueueBackend } from 'bullmq'
import { RawPayloadJob } from './raw-payload.ts'

/** Jobs that are made in one turn of the event loop. */
const SLICE = 50

/** BullMQ makes all jobs of a flow in one go, which is 0.1 ms for each: here the loop turns now and then. */
export class RawFlowProducer extends FlowProducer {
  readonly #slices = new Slices()

  protected override get Job(): typeof Job {
    return RawPayloadJob as typeof Job
  }

  protected override async addNode(options: Parameters<FlowProducer['addNode']>[0]): Promise<JobNode> {
    await this.#slices.next()
    return super.addNode(options)
  }
}

class Slices {
  #count = 0
  #turn: Promise<unknown> = Promise.resolve()

  next(): Promise<unknown> {
    if (++this.#count % SLICE === 0) this.#turn = this.#turn.then(() => nextTurn())
    return this.#turn
  }
}

/** A chosen id came or went between the look and the transaction: Redis did nothing. */
export class BrokenOff extends Error {
  override name = 'BrokenOff'
}

/** BullMQ's Redis backend, which tells a transaction that was broken off, and what Redis answered to any of its jobs. */
export const allOrNothing = (
  ...[name, options, kind]: Parameters<typeof createRedisBackend>
): RedisQueueBackend => {
  const backend = createRedisBackend(name, options, kind)
  const slices = new Slices()
  const addJob = backend.addJobToTransaction.bind(backend)
  // `addFlow` awaits each, before it sends any.
  backend.addJobToTransaction = (...args) => slices.next().then(() => addJob(...args))
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
