/** An upload that is not taken: the problem that its client is told, and the reason as one word, for metrics. */
import type { UploadRefusal } from '../../observe/events.ts'
import { Problem, type ProblemExtras } from '../problem.ts'

const STATUS = {
  media_type: 415,
  encoding: 415,
  malformed: 400,
  truncated: 400,
  field: 422,
  file_type: 415,
  checksum: 422,
  too_large: 413,
  too_many: 413,
  slow: 408,
  busy: 429,
  store: 503,
  stopping: 503,
  /** Nobody hears it. */
  client_gone: 499,
  internal: 500,
} as const satisfies Record<UploadRefusal, number>

/** Those that end because somebody went, not because of what was sent. */
const ABORTS: ReadonlySet<UploadRefusal> = new Set(['client_gone', 'stopping'])

export class Refusal extends Problem {
  override name = 'Refusal'
  readonly reason: UploadRefusal

  /** `detail` names the field and the limit. */
  constructor(reason: UploadRefusal, detail: string, extras: ProblemExtras = {}) {
    super(STATUS[reason], `UPLOAD_${reason.toUpperCase()}`, detail, extras)
    this.reason = reason
  }

  get isAbort(): boolean {
    return ABORTS.has(this.reason)
  }
}
