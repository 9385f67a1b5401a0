/** `runner jobs remove`: jobs are forgotten, with their logs and children. Not those that run. */
import type { Command } from 'commander'
import { RunnerError } from '../../errors.ts'
import type { CliContext } from '../verbs.ts'
import { defineSteer } from './steer.ts'

export function define(command: Command, context: CliContext): void {
  defineSteer(command, context, {
    verb: 'remove',
    past: 'removed',
    states: ['waiting', 'prioritized', 'delayed', 'waiting-children', 'failed', 'completed'],
    examples: [
      ['runner jobs remove 4711', 'there is no way back'],
      ['runner jobs remove --queue mail --state failed --since 1d --dry-run'],
    ],
    open: (_redis, inspector) => ({
      change: async ({ queue }, id) => {
        if ((await inspector.queue(queue).remove(id)) === 1) return {}
        throw new RunnerError('JOB_STATE_WRONG', 'it is running, or a child of it is', {
          hint: 'runner jobs cancel ends what runs',
        })
      },
    }),
  })
}
