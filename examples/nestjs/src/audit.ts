import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq'
import type { Job } from 'bullmq'

/**
 * A worker of this process, as @nestjs/bullmq makes it. Its queue is its own: on one that the fleet works it would take
 * jobs away from the fleet, and executors refuse to load it.
 */
@Processor('audit')
export class AuditWorker extends WorkerHost {
  readonly written: string[] = []

  async process({ data }: Job<{ what: string }>): Promise<void> {
    this.written.push(data.what)
  }

  @OnWorkerEvent('completed')
  onCompleted({ id }: Job): void {
    this.written.push(`job ${id} is done`)
  }
}
