/**
 * Cancels jobs from outside of any replica: those that run, in whichever replica has them; those that do not, by a mark
 * that the next worker fails them for. Jobs that are cancelled in the same moment share one message to the replicas.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Queue } from 'bullmq'
import { RunnerError } from '../errors.ts'
import { promoteJob } from '../inspector/changes.ts'
import type { Client } from '../redis/client.ts'
import { markCancelled } from '../redis/cancel-mark.ts'
import type { Cancelled, JobRef } from './command.ts'
import type { Operator } from './operator.ts'

/** Milliseconds beyond the longest grace of a replica that its answer may take: an executor has half a second to end. */
const ANSWER_WITHIN = 3_000
/** Milliseconds until Redis has what a replica said. */
const WRITTEN_WITHIN = 2_000

export type Cancellation = (Cancelled & { replica: string }) | { how: 'marked' } | { how: 'gone' }

interface Asked extends JobRef {
  reject: (error: unknown) => void
  resolve: (found: { replica: string; cancelled: Cancelled } | { asked: number; silent: number }) => void
}

export class Cancellations {
  readonly #operator: Operator
  readonly #client: Client
  readonly #reason: string
  #asked: Asked[] = []

  constructor(operator: Operator, client: Client, reason: string) {
    this.#operator = operator
    this.#client = client
    this.#reason = reason
  }

  /** Throws NO_REPLICA_ANSWERED for a job that runs where no replica has it. */
  async cancel(queue: Queue, id: string): Promise<Cancellation> {
    for (let unlocked = false; ;) {
      const reason = `cancelled: ${this.#reason}`
      const mark = await markCancelled(this.#client, queue.toKey(''), id, reason, unlocked)
      if (mark === 'gone' || mark === 'finished') return { how: 'gone' }
      if (mark !== 'active') {
        // Not when it is due, but now.
        if (mark === 'delayed') await promoteJob(queue, id)
        return { how: 'marked' }
      }
      const found = await this.#ask({ queue: queue.name, id })
      if ('replica' in found) {
        await untilWritten(queue, id)
        return { ...found.cancelled, replica: found.replica }
      }
      // It may have ended, or gone back to its queue, just now; or a lock is left of a run that is over.
      if ((await queue.getJobState(id)) === 'active') throw nobodyHas(queue.name, id, found)
      unlocked = true
    }
  }

  #ask(ref: JobRef): Promise<Parameters<Asked['resolve']>[0]> {
    const { promise, resolve, reject } = Promise.withResolvers<Parameters<Asked['resolve']>[0]>()
    if (this.#asked.length === 0) setImmediate(() => this.#flush())
    this.#asked.push({ ...ref, resolve, reject })
    return promise
  }

  #flush(): void {
    const asked = this.#asked
    this.#asked = []
    this.#tell(asked).catch((error: unknown) => asked.forEach(({ reject }) => reject(error)))
  }

  async #tell(asked: readonly Asked[]): Promise<void> {
    const replicas = await this.#operator.replicas()
    const grace = Math.max(0, ...replicas.map(({ terms }) => terms.abortGrace))
    const jobs = asked.map(({ queue, id }) => ({ queue, id }))
    const args = { jobs, reason: this.#reason }
    // Those that do not have it, and do not answer, are not waited for.
    const isEnough = (values: readonly (Cancelled | null)[][]) =>
      jobs.every((_, i) => values.some(value => value[i] !== null && value[i] !== undefined))
    const replies = await this.#operator.tell(replicas, 'cancel', args, grace + ANSWER_WITHIN, isEnough)
    for (const [i, { resolve }] of asked.entries()) {
      const found = replies.find(({ value }) => value?.[i] !== null && value?.[i] !== undefined)
      const cancelled = found?.value?.[i]
      const silent = replies.filter(({ value }) => value === undefined).length
      if (found === undefined || cancelled === null || cancelled === undefined)
        resolve({ asked: replicas.length, silent })
      else resolve({ replica: found.replica.id, cancelled })
    }
  }
}

function nobodyHas(
  queue: string,
  id: string,
  { asked, silent }: { asked: number; silent: number },
): RunnerError {
  const who =
    asked === 0
      ? 'no replica is live'
      : silent > 0
        ? `${silent} of ${asked} replicas did not answer, and the others do not have it`
        : `none of ${asked} live replicas has it`
  return new RunnerError('NO_REPLICA_ANSWERED', `job ${id} of queue ${queue} is active, and ${who}`, {
    hint: 'when its worker died, it waits again once its lock runs out: cancel it then',
  })
}

async function untilWritten(queue: Queue, id: string): Promise<void> {
  const end = performance.now() + WRITTEN_WITHIN
  while (performance.now() < end && (await queue.getJobState(id)) === 'active') await sleep(20)
}
