/** What makes two runs the same one, and tells whether the file has changed since. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** The same text for the same arguments, in whatever order they were given. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

export function checksumOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}
