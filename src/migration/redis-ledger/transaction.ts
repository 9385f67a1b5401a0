/** What a batch leaves in a ledger in Redis: collected, and done by the script that moves the cursor, or not at all. */
import type { Transaction } from '../database.ts'

const commands = new WeakMap<Transaction, string[][]>()

/** Name, key, arguments. */
export function queue(tx: Transaction, command: string[]): void {
  commands.set(tx, [...(commands.get(tx) ?? []), command])
}

/** Each as JSON; there are none any more. */
export function commandsOf(tx: Transaction): string[] {
  const queued = commands.get(tx) ?? []
  commands.delete(tx)
  return queued.map(command => JSON.stringify(command))
}

/** Of a script: does those that are its arguments from this one on. */
export const applyFrom = (first: number): string =>
  `for i = ${first}, #ARGV do redis.call(unpack(cjson.decode(ARGV[i]))) end`
