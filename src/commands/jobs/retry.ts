/** `runner jobs retry`: failed jobs wait again, with all their attempts. */
import type { Command } from 'commander'
import { Job } from 'bullmq'
import type { CliContext } from '../verbs.ts'
import { goneOr } from './gone.ts'
import { defineSteer } from './steer.ts'

export function define(command: Command, context: CliContext): void {
  defineSteer(command, context, {
    verb: 'retry',
    past: 'retried',
    states: ['failed', 'completed'],
    byDefault: ['failed'],
    examples: [
      ['runner jobs retry 4711', 'with all its attempts again'],
      ['runner jobs retry --queue mail --state failed --name send-email --since 1h --dry-run'],
      ['runner jobs retry --state failed --name send-email --yes', 'any number of them'],
    ],
    open: (_redis, inspector) => ({
      change: ({ queue, state }, id) =>
        // Its payload need not be read for that.
        goneOr(
          new Job(inspector.queue(queue), '', {}, {}, id).retry(state === 'completed' ? state : 'failed', {
            resetAttemptsMade: true,
          }),
        ),
    }),
  })
}
