/** `runner migrations cancel <run>`. */
import type { Command } from 'commander'
import type { CliContext } from '../verbs.ts'
import { defineMove } from './steer.ts'

export function define(command: Command, context: CliContext): void {
  defineMove(command, context, {
    verb: 'cancel',
    from: ['planning', 'running', 'paused', 'verifying'],
    to: 'cancelled',
    done: ({ id, name }) =>
      `run ${id} is cancelled: what is done stays done, runner enqueue ${name} goes on from there`,
  })
}
