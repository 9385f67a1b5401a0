/** Everything a replica reports, in one vocabulary. Logs, metrics and tests only listen. */
import { EventEmitter } from 'node:events'

interface JobRef {
  queue: string
  job: string
  id: string
}

export interface FleetEvents {
  'fleet.started': [
    {
      replica: string
      queues: Record<string, number>
      jobs: number
      executors: number
      isolation: string
      redis: string
    },
  ]
  'fleet.quiet': [{ running: number }]
  'fleet.resumed': []
  'fleet.reloaded': [{ jobs: number; broken: number }]
  /** `grace` in milliseconds; absent when it waits for what runs, however long. */
  'fleet.stopping': [{ reason: string; running: number; grace?: number }]
  'fleet.stopped': [{ reason: string; completed: number; failed: number; handedBack: number }]
  'job.completed': [JobRef & { attempt: number; ms: number }]
  'job.failed': [JobRef & { attempt: number; ms: number; error: string; code?: string }]
  'job.delayed': [JobRef & { kind: 'retry' | 'snooze'; delay: number }]
  'job.handed-back': [JobRef & { reason: string }]
  'job.timed-out': [JobRef & { timeout: number }]
  'job.lock-lost': [JobRef]
  'job.unknown': [JobRef & { putBack: boolean }]
  'job.file-broken': [{ file: string; code: string; message: string }]
  'executor.ended': [{ executor: number; reason: string; culprit?: string; handedBack: number }]
  /** A run is settled and forgotten; so many are left. For whoever waits, not for logs. */
  'run.ended': [number]
  'worker.error': [{ queue: string; message: string }]
}

export class Events extends EventEmitter<FleetEvents> {}
