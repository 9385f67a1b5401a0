/** `runner migrations output <run>`: what its batches emitted, one JSON value a line, or as CSV. */
import type { Command } from 'commander'
import type { CliContext } from '../verbs.ts'
import { defineRead } from './read.ts'

export function define(command: Command, context: CliContext): void {
  const examples = [
    ['runner migrations output migrate-users'],
    ['runner migrations output migrate-users --csv'],
  ] as const
  defineRead(
    command,
    context,
    examples,
    async ({ failures }, { id }) => {
      const data = await failures.outputs(id)
      const records = data.map(value => (typeof value === 'object' && value !== null ? value : { value }))
      return { text: data.map(value => JSON.stringify(value)).join('\n'), data, records }
    },
    { csv: true },
  )
}
