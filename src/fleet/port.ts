/** The one interface above both kinds of executor: a worker thread and a child process. */
import type { ExecutorSettings } from '../job/executor-settings.ts'
import type { BrokenFile, JobFile } from '../job/manifest.ts'
import type { DyingWords } from './protocol.ts'
import type { Sighting } from './sight.ts'

/** What an executor is started with. Plain data: it crosses to a thread or a process. */
export interface ExecutorInit {
  files: JobFile[]
  /** Files that ended an earlier executor: not imported again, but part of its manifest. */
  broken?: BrokenFile[]
  /** Milliseconds that the top level of a file may take, if not the usual time. */
  importTimeout?: number
  logLevel: string
  redact: string[]
  /** Bytes of JavaScript heap. */
  memory: number
  settings?: ExecutorSettings
  /** Queues of the replica; `all`: those that its jobs name as well. For applications, which may not work them too. */
  worked?: { queues: string[]; all: boolean }
  /** Handlers run in the trace of their job. */
  telemetry?: boolean
}

interface PortEvents {
  onRecord: (text: string) => void
  /** Called once, after the last record. */
  onExit: (exit: PortExit) => void
  /** Whether `glance` will be called in a moment: then the executor need not wake us for a record. */
  isGlanceDue: () => boolean
}

/** How an executor ended, as seen from outside. `words` is what it could still say itself. */
export interface PortExit {
  cause: 'exit' | 'memory' | 'signal' | 'error' | 'abandoned'
  message: string
  code?: number
  signal?: string
}

/** `broken` is the file whose import ended it. */
export type ExecutorExit = PortExit & { words?: DyingWords; broken?: BrokenFile }

export interface Port {
  /** Of a child process; absent for a thread of this one. */
  readonly pid?: number
  send(text: string): void
  /** Takes the records that are there. */
  glance(): void
  /** A number that changes at least every `BEAT` milliseconds while the event loop of the executor turns. */
  readonly beats: number
  /** Where its event loop is stuck. Waits until it can be found out; rejects when the executor ends before. */
  sight(): Promise<Sighting>
  /** Ends it whatever it is doing. Resolves when it is gone; a thread inside native code goes when the call returns. */
  end(): Promise<void>
}

export type OpenPort = (init: ExecutorInit, events: PortEvents) => Port
