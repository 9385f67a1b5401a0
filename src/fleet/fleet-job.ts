/** A BullMQ job whose payload is never parsed, and a result that is never parsed either. */
import { Job, type JobJson, type MinimalQueue } from 'bullmq'
import { isJson } from '../job/problem.ts'

export class FleetJob extends Job {
  /** The payload exactly as it stands in Redis. */
  payload = '{}'
  /** How it ended, when it goes BullMQ's way only after that. */
  outcome: Promise<RawResult> | undefined
  /** A command that moves it away was sent: a lock that is gone then was not lost. */
  leaving = false
  /** The trace that its run belongs to, as headers in JSON; with telemetry only. */
  trace: string | undefined
  declare id: string

  /** Its hash in Redis. */
  get key(): string {
    return this.toKey(this.id)
  }

  /** What the keys of its queue begin with. */
  get base(): string {
    return this.toKey('')
  }

  /** By the key of each child that is done or failed: the JSON that it returned, and the reason. */
  childTexts(): Promise<[results: Record<string, string>, failures: Record<string, string>]> {
    return Promise.all([
      this.backend.getProcessedChildrenValues(this.id),
      this.backend.getIgnoredChildrenFailures(this.id),
    ])
  }

  /** What the key of a job says. */
  refOf(key: string): { queue: string; id: string } {
    const { queueName, id } = this.backend.parseNodeKey(key)
    return { queue: queueName, id }
  }

  static read(queue: MinimalQueue, json: JobJson, id: string): FleetJob {
    const payload = json.data
    // A job of a scheduler is upserted again by BullMQ with its data, so there the payload has to be parsed. What is no
    // JSON fails its run, as that of any other job; the scheduler keeps its own data.
    if (json.repeatJobKey === undefined || !isJson(payload)) json.data = 'null'
    const job = FleetJob.fromJSON(queue, json, id) as FleetJob
    job.payload = payload
    return job
  }
}

/** Stands for the JSON text of a result until the backend writes it. */
export class RawResult {
  readonly json: string | undefined
  constructor(json: string | undefined) {
    this.json = json
  }
  /** BullMQ serialises a result once only to see whether it can: cheap here. */
  toJSON(): null {
    return null
  }
}
