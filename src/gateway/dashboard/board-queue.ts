/** A queue as bull-board has it: payloads with what is redacted hidden, and jobs that are changed as the verbs change them. */
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import type { Job } from 'bullmq'
import { RunnerError } from '../../errors.ts'
import type { Changed } from '../../inspector/bulk.ts'
import { promoteJob, removeJob } from '../../inspector/changes.ts'
import type { Inspector } from '../../inspector/inspector.ts'
import { retrying } from '../../inspector/retrying.ts'
import { STATES, type State } from '../../inspector/state.ts'
import type { Redaction } from '../../job/redaction.ts'
import { Quarantine } from '../../redis/quarantine.ts'

type BoardJob = Awaited<ReturnType<BullMQAdapter['getJob']>>

export class BoardQueue extends BullMQAdapter {
  readonly #inspector: Inspector
  readonly #name: string
  readonly #redaction: Redaction

  constructor(inspector: Inspector, name: string, redaction: Redaction, readOnlyMode: boolean) {
    super(inspector.queue(name), { readOnlyMode })
    this.#inspector = inspector
    this.#name = name
    this.#redaction = redaction
    for (const field of ['data', 'returnValue', 'progress'] as const)
      this.setFormatter(field, (value: unknown) => redaction.apply(value))
  }

  /** BullMQ's own retry would put a job of the quarantine back without its attempts; its remove would leave it there. */
  override async getJob(id: string): Promise<BoardJob> {
    const job = await super.getJob(id)
    if (job === undefined || job === null) return job
    const own = {
      retry: async (state: 'failed' | 'completed' = 'failed') =>
        done(await retrying(this.#inspector)(this.#target(state), id)),
      promote: async () => done(await promoteJob(this.#inspector.queue(this.#name), id)),
      remove: async () => this.#remove(id, await job.getState()),
    } satisfies Partial<Record<keyof Job, unknown>>
    return Object.assign(job, own)
  }

  override async getJobSchedulers(): ReturnType<BullMQAdapter['getJobSchedulers']> {
    const all = await super.getJobSchedulers()
    return all.map(one => ({
      ...one,
      ...(one.template === undefined
        ? {}
        : { template: { ...one.template, data: this.#redaction.apply(one.template.data) } }),
    }))
  }

  async #remove(id: string, state: string): Promise<void> {
    if (!Object.hasOwn(STATES, state)) return
    const { client, prefix } = this.#inspector
    done(await removeJob(client, this.#inspector.queue(this.#name), id, state as State))
    await new Quarantine(client, prefix).remove({ queue: this.#name, id })
  }

  #target(state: State) {
    return { queue: this.#name, base: this.#inspector.baseOf(this.#name), state }
  }
}

function done({ gone }: Changed): void {
  if (gone === true) throw new RunnerError('JOB_NOT_FOUND', 'somebody else was faster: look again')
}
