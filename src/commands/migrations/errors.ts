/** `runner migrations errors <run>`: the rows that it has stepped over. */
import type { Command } from 'commander'
import type { CliContext } from '../verbs.ts'
import { defineRead } from './read.ts'

export function define(command: Command, context: CliContext): void {
  const examples = [
    ['runner migrations errors migrate-users'],
    ['runner migrations errors migrate-users --csv'],
  ] as const
  defineRead(
    command,
    context,
    examples,
    async ({ failures }, { id }) => {
      const data = await failures.list(id)
      const lines = data.map(
        ({ key, error, code }) =>
          `${key.join(',')}  ${code === null ? '' : `${code}: `}${error.split('\n', 1)[0]}`,
      )
      const records = data.map(({ key, at, ...rest }) => ({
        key: key.join(','),
        ...rest,
        at: new Date(at).toISOString(),
      }))
      return { text: lines.join('\n') || `run ${id} has stepped over no row`, data, records }
    },
    { csv: true },
  )
}
