/** `runner migrations verify <run>`: what its file says of the end, once more; `wait` says how it went. */
import type { Command } from 'commander'
import type { CliContext } from '../verbs.ts'
import { defineMove } from './steer.ts'

export function define(command: Command, context: CliContext): void {
  defineMove(command, context, {
    verb: 'verify',
    from: ['succeeded', 'failed'],
    to: 'verifying',
    rings: 'end',
    done: ({ id }) => `run ${id} is verified: runner migrations wait ${id} says how that ends`,
  })
}
