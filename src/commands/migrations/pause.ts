/** `runner migrations pause <run>`. */
import type { Command } from 'commander'
import type { CliContext } from '../verbs.ts'
import { defineMove } from './steer.ts'

export function define(command: Command, context: CliContext): void {
  defineMove(command, context, {
    verb: 'pause',
    from: ['running'],
    to: 'paused',
    done: ({ id }) => `run ${id} is paused: runner migrations resume ${id}`,
  })
}
