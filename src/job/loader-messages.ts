/** What a command's loader and its thread say to each other. */
import type { BrokenFile, JobEntry, JobFile } from './manifest.ts'

/** `workerData` of the thread. */
export interface LoaderData {
  files: JobFile[]
  /** Milliseconds that one file's top level may take. */
  timeout: number
  /** Payload fields whose values no verdict shows. */
  redact: readonly string[]
}

/** JSON texts in, verdicts out, in the same order. */
export interface CheckRequest {
  id: number
  name: string
  payloads: string[]
}

/** Why one payload is refused; `null` where it is fine. */
export type Verdict = { message: string; details?: unknown } | null

export type FromThread =
  | { type: 'loading'; file: JobFile }
  | { type: 'loaded'; entry: JobEntry }
  | { type: 'broken'; broken: BrokenFile }
  | { type: 'ready' }
  | { type: 'checked'; id: number; verdicts: Verdict[] }
