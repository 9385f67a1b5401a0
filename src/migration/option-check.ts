/** Whether the options of a migration are some. Strict: a misspelt one is refused. */
import { z } from 'zod'
import { RunnerError } from '../errors.ts'
import { didYouMean } from '../suggestion.ts'
import { duration } from '../units.ts'

/** A run has a table row and a job for each shard. */
const MOST_SHARDS = 10_000

const fn = z.custom<() => unknown>(value => typeof value === 'function', 'expected a function')
const object = z.custom<object>(value => typeof value === 'object' && value !== null, 'expected an object')
const source = z.custom(
  value => typeof value === 'function' || (typeof value === 'object' && value !== null && 'next' in value),
  'expected keyset(), csv(), pages(), once(), or a function of the arguments that returns one',
)
const signal = z.custom(
  value => typeof value === 'object' && value !== null && 'look' in value,
  'expected maxLag(), query() or http()',
)

const migrationOptions = z.strictObject({
  args: object.optional(),
  description: z.string().optional(),
  source,
  shards: z.int().min(1).max(MOST_SHARDS).optional(),
  database: z.string().min(1).optional(),
  orm: object.optional(),
  effects: z.enum(['database', 'external']).optional(),
  after: z.array(z.string().min(1)).optional(),
  throttle: z.array(signal).optional(),
  estimate: fn.optional(),
  queue: z.string().min(1).optional(),
  slice: duration().optional(),
  changed: z.enum(['warn', 'stop']).optional(),
  batch: fn.optional(),
  each: fn.optional(),
  verify: fn.optional(),
  on: z.strictObject({ done: fn.optional(), failed: fn.optional() }).optional(),
})

/** Throws JOB_OPTION_INVALID. */
export function checkOptions(options: object): void {
  const problems = [...problemsOf(options)]
  const [first] = problems
  if (first === undefined) return
  const known = Object.keys(migrationOptions.shape)
  const unknown = Object.keys(options).find(name => !known.includes(name))
  throw new RunnerError('JOB_OPTION_INVALID', problems.join('; '), {
    ...(unknown === undefined ? {} : didYouMean(unknown, known)),
  })
}

function* problemsOf(options: object): Generator<string> {
  for (const { path, message, ...issue } of migrationOptions.safeParse(options).error?.issues ?? [])
    yield issue.code === 'unrecognized_keys'
      ? `unknown option ${[...path, issue.keys.join(', ')].join('.')}`
      : `option ${path.join('.')}: ${message}`
  const { batch, each, effects, orm } = options as Record<string, unknown>
  if (batch === undefined && each === undefined)
    yield 'option batch or each: there is none, so nothing would be done'
  if (batch !== undefined && each !== undefined) yield 'option batch and each: expected one of them'
  if (effects === 'external' && orm !== undefined)
    yield `option orm: with effects: 'external' there is no transaction`
}
