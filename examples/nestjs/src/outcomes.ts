import { OnQueueEvent, QueueEventsHost, QueueEventsListener } from '@nestjs/bullmq'
import type { OnApplicationBootstrap } from '@nestjs/common'

/** What became of jobs, by id. */
abstract class Outcomes extends QueueEventsHost implements OnApplicationBootstrap {
  readonly #known = new Map<string, unknown>()

  /** Before the first request: what happens before the listener is connected is not heard. */
  async onApplicationBootstrap(): Promise<void> {
    await this.queueEvents.waitUntilReady()
  }

  of(id: string): unknown {
    return this.#known.get(id)
  }

  @OnQueueEvent('completed')
  onCompleted({ jobId, returnvalue }: { jobId: string; returnvalue: unknown }): void {
    this.#known.set(jobId, { state: 'completed', result: returnvalue })
  }

  @OnQueueEvent('failed')
  onFailed({ jobId, failedReason }: { jobId: string; failedReason: string }): void {
    this.#known.set(jobId, { state: 'failed', reason: failedReason })
  }
}

@QueueEventsListener('mail')
export class MailOutcomes extends Outcomes {}

@QueueEventsListener('reports')
export class ReportOutcomes extends Outcomes {}
