/** `runner migrations output <run>`: what its batches emitted, one JSON value a line. */
import type { Command } from 'commander'
import type { CliContext } from '../verbs.ts'
import { defineRead } from './read.ts'

export function define(command: Command, context: CliContext): void {
  defineRead(command, context, [['runner migrations output migrate-users']], async ({ failures }, { id }) => {
    const data = await failures.outputs(id)
    return { text: data.map(value => JSON.stringify(value)).join('\n'), data }
  })
}
