/** Jobs that are added with a payload which is JSON text already. */
import { Job, type JobJson } from 'bullmq'

/** Stands for the JSON text of a payload until BullMQ stores it. */
export class RawPayload {
  readonly json: string
  constructor(json: string) {
    this.json = json
  }
  toJSON(): null {
    return null
  }
}

export class RawPayloadJob extends Job {
  override asJSON(): JobJson {
    return { ...super.asJSON(), data: (this.data as RawPayload).json }
  }
}
