/** `runner migrations history <run>`: who did what with it, and when. */
import type { Command } from 'commander'
import { textTable } from '../../table.ts'
import type { CliContext } from '../verbs.ts'
import { defineRead } from './read.ts'

export function define(command: Command, context: CliContext): void {
  defineRead(command, context, [['runner migrations history migrate-users']], async ({ runs }, { id }) => {
    const data = await runs.notes(id)
    const text = textTable(data.map(({ at, who, what }) => [new Date(at).toISOString(), who, what]))
    return { text, data }
  })
}
