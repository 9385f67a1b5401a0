/** `runner jobs retry`: failed jobs wait again, with all their attempts. */
import type { Command } from 'commander'
import { retrying } from '../../inspector/retrying.ts'
import type { CliContext } from '../verbs.ts'
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
    open: (_redis, inspector) => ({ change: retrying(inspector) }),
  })
}
