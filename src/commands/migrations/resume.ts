/** `runner migrations resume <run>`. Its shards are rung for by the replicas, within seconds. */
import type { Command } from 'commander'
import type { CliContext } from '../verbs.ts'
import { defineMove } from './steer.ts'

export function define(command: Command, context: CliContext): void {
  defineMove(command, context, {
    verb: 'resume',
    from: ['paused'],
    to: 'running',
    done: ({ id }) => `run ${id} goes on`,
  })
}
