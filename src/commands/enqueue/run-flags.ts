/** Flags of `enqueue` that only migrations have: beside those of their arguments, which may not have these names. */
import { RunnerError } from '../../errors.ts'
import type { JsonSchema } from './json-schema.ts'
import type { Assignment } from './payload.ts'

export interface RunFlags {
  shards?: number
  again?: boolean
  reason?: string
  limit?: number
}

const FLAGS: Record<keyof RunFlags, JsonSchema> = {
  shards: { type: 'integer', description: 'ranges that are worked side by side' },
  again: { type: 'boolean', description: 'also when it has succeeded with these arguments' },
  reason: { type: 'string', description: 'kept with the run' },
  limit: { type: 'integer', description: 'with --dry-run: rows of the batch that is rolled back' },
}

export function withRunFlags(schema: JsonSchema = { type: 'object' }): JsonSchema {
  return { ...schema, properties: { ...(schema['properties'] as object | undefined), ...FLAGS } }
}

/** The flags of the run, and what is left for its arguments. Throws USAGE. */
export function runFlagsOf(assignments: readonly Assignment[]): { flags: RunFlags; rest: Assignment[] } {
  const isRunFlag = ({ path }: Assignment) => path.length === 1 && Object.hasOwn(FLAGS, path[0] ?? '')
  const own = assignments.filter(isRunFlag).map(({ path, value }) => [path[0], value])
  const flags = Object.fromEntries(own) as RunFlags
  for (const name of ['shards', 'limit'] as const) {
    const value = flags[name]
    if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= 10_000)) continue
    throw new RunnerError('USAGE', `--${name}: expected 1 to 10000, got ${JSON.stringify(value)}`)
  }
  return { flags, rest: assignments.filter(one => !isRunFlag(one)) }
}
