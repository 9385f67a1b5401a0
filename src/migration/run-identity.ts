/** What makes two runs the same one, and tells whether the file has changed since. */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** The same text for the same arguments, in whatever order they were given. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

/** Of a run that is not over: one of a name and its arguments. */
export function activeOf({ name, args }: { name: string; args: string }): string {
  return createHash('sha256').update(`${name} ${args}`).digest('hex')
}

/** 'users/fill' -> 'users-fill-3f9a2c' */
export function newRunId(name: string): string {
  return `${name.replaceAll('/', '-')}-${randomBytes(3).toString('hex')}`
}

export function checksumOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}
