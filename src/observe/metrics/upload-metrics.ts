/** Uploads as `runner serve` receives them. Names of tokens are in events, and in no series. */
import { Counter, Gauge, type Registry } from '@prometheus-io/client'
import { UPLOAD_REFUSALS, type Events } from '../events.ts'

/** What is read when it is asked for: bytes come in chunks, and none of them is worth an event. */
export interface UploadView {
  /** Uploads that are received just now. */
  active: number
  /** Bytes of bodies since the process started. */
  received: number
}

const OUTCOMES = ['stored', 'refused', 'aborted', 'discarded'] as const

export function uploadMetrics(registry: Registry, events: Events, view: UploadView): void {
  const registers = [registry]
  void new Gauge({
    name: 'runner_uploads_active',
    help: 'Uploads that are received just now.',
    registers,
    collect() {
      this.set(view.active)
    },
  })
  void new Counter({
    name: 'runner_upload_bytes_total',
    help: 'Bytes of uploads that were read, also of those that came to nothing.',
    registers,
    collect() {
      this.reset()
      this.inc(view.received)
    },
  })
  const uploads = new Counter({
    name: 'runner_uploads_total',
    help: 'Uploads by what became of them. Discarded ones were stored before: no job came of them.',
    labelNames: ['outcome'],
    registers,
  })
  const rejected = new Counter({
    name: 'runner_uploads_rejected_total',
    help: 'Uploads that were refused or aborted, by reason.',
    labelNames: ['reason'],
    registers,
  })
  // A rate is known only of a series that was there before.
  for (const outcome of OUTCOMES) uploads.inc({ outcome }, 0)
  for (const reason of UPLOAD_REFUSALS) rejected.inc({ reason }, 0)
  for (const outcome of OUTCOMES) events.on(`upload.${outcome}`, () => uploads.inc({ outcome }))
  for (const name of ['upload.refused', 'upload.aborted'] as const)
    events.on(name, ({ reason }: { reason: string }) => rejected.inc({ reason }))
}
