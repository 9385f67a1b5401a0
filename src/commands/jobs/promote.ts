/** `runner jobs promote`: delayed jobs are due now. */
import type { Command } from 'commander'
import { promoteJob } from '../../inspector/changes.ts'
import type { CliContext } from '../verbs.ts'
import { defineSteer } from './steer.ts'

export function define(command: Command, context: CliContext): void {
  defineSteer(command, context, {
    verb: 'promote',
    past: 'promoted',
    states: ['delayed'],
    byDefault: ['delayed'],
    examples: [['runner jobs promote 4711'], ['runner jobs promote --queue mail --name newsletter --yes']],
    open: (_redis, inspector) => ({
      change: ({ queue }, id) => promoteJob(inspector.queue(queue), id),
    }),
  })
}
