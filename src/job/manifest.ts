/**
 * What a supervisor or a command knows of the discovered jobs without ever importing one: plain JSON, made by
 * whoever did import them (an executor, or the short-lived loader thread of a command).
 */
import type { ErrorCode } from '../errors.ts'
import type { Keep } from './define.ts'
import type { ScheduleEntry } from './schedule.ts'

/** How a file is run. `function`: a plain function, called with an object that is both `ctx` and a BullMQ sandbox job. */
type JobKind = 'job' | 'migration' | 'function' | 'executable'

export interface JobFile {
  /** 'emails/send' for jobs/emails/send.ts. Of an application, which has handlers with names of their own, its path. */
  name: string
  /** Absolute real path. */
  file: string
  kind: 'module' | 'executable' | 'application'
}

/** A field of a payload that is a file, or with `list` a list of them. */
export interface FileField {
  /** Media types that are taken: 'text/csv', 'image/*'. Absent: any. */
  types?: string[]
  maxBytes?: number
  list?: true
  /** The payload may be without it. */
  optional?: true
}

export interface JobEntry {
  name: string
  file: string
  kind: JobKind
  queue: string
  /** The file names its queue: the job is never put on another one unasked. */
  queueNamed?: true
  description?: string
  /** JSON Schema (draft 2020-12) of the schema's *input*: what is stored in Redis and what flags are made from. */
  schema?: Record<string, unknown>
  /** Fields of the payload that `file()` declares, by name. */
  files?: Record<string, FileField>
  attempts?: number
  backoff?: { type: 'fixed' | 'exponential'; delay: number; jitter?: number }
  /** Milliseconds. */
  timeout?: number
  /** `limit` in milliseconds. */
  block?: { limit?: number | false }
  priority?: number
  /** Of a migration. */
  migration?: { database?: string; shards: number; after?: readonly string[] }
  removeOnComplete?: Keep
  removeOnFail?: Keep
  schedule?: ScheduleEntry[]
}

/** A file that could not be loaded, and why. */
export interface BrokenFile {
  file: string
  /** The job that it would be. */
  name: string
  code: ErrorCode
  message: string
  hint?: string
}

export interface Manifest {
  jobs: JobEntry[]
  broken: BrokenFile[]
  /** Lines for people, of an application that was started. */
  doubts?: string[]
}
