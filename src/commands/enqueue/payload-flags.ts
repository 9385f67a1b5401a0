/** `--to ada@example.com --tag a --tag b --no-urgent` -> what these flags set in a payload. */
import { RunnerError } from '../../errors.ts'
import { shorten } from '../../job/problem.ts'
import { didYouMean } from '../../suggestion.ts'
import { elementsFor, looseValue, valueFor } from './flag-value.ts'
import type { JsonSchema } from './json-schema.ts'
import { extraField, type Field, fieldsOf } from './payload-field.ts'
import type { Assignment } from './payload.ts'

/** A flag as one job understands it. */
interface Flag {
  path: string[]
  kind: Field['kind'] | 'loose'
  negated: boolean
  /** The value or, for a list, the elements that a text stands for. */
  read(text: string): unknown
}

type Lookup = (name: string) => Flag | undefined

/** Flags of a job with a schema. `own` are the long flags of the command itself, which its fields cannot have. */
export function parseSchemaFlags(
  tokens: readonly string[],
  root: JsonSchema,
  own: ReadonlySet<string>,
): Assignment[] {
  const fields = fieldsOf(root)
  const byFlag = flagNames(fields)
  const find: Lookup = name => {
    const field = byFlag.get(name)
    if (field !== undefined) return flagOf(field, root, false)
    const positive = name.startsWith('no-') ? byFlag.get(name.slice(3)) : undefined
    if (positive?.kind === 'boolean') return flagOf(positive, root, true)
    const extra = extraField(name, fields, root)
    if (extra !== undefined) return flagOf(extra, root, false)
    const off = name.startsWith('no-') ? extraField(name.slice(3), fields, root) : undefined
    return off?.kind === 'boolean' ? flagOf(off, root, true) : undefined
  }
  // Not the singulars of lists: not every one of them is a word.
  const names = fields.flatMap(field => [field.flags[0]!, field.path.join('.')])
  const known = [...names, ...own].map(name => `--${name}`)
  return parse(tokens, find, known)
}

/** Exact names first: the kebab-case form of one field may be the very name of another. */
function flagNames(fields: readonly Field[]): Map<string, Field> {
  const names = new Map(fields.map(field => [field.path.join('.'), field]))
  for (const field of fields) for (const name of field.flags) if (!names.has(name)) names.set(name, field)
  return names
}

const flagOf = (field: Field, root: JsonSchema, negated: boolean): Flag => ({
  path: field.path,
  kind: field.kind,
  negated,
  read: text => (field.kind === 'list' ? elementsFor : valueFor)(text, field.schema, root),
})

/**
 * Flags of a job without a schema: any name. A value that is JSON is that, a flag alone is `true`, a flag given
 * twice is a list, `--a.b 1` is `{ a: { b: 1 } }`.
 */
export function parseFreeFlags(tokens: readonly string[]): Assignment[] {
  const find: Lookup = name => ({ path: name.split('.'), kind: 'loose', negated: false, read: looseValue })
  return parse(tokens, find, [])
}

interface Pending extends Assignment {
  /** How often its flag was given. */
  times: number
}

function parse(tokens: readonly string[], find: Lookup, known: readonly string[]): Assignment[] {
  const set = new Map<string, Pending>()
  for (let i = 0; i < tokens.length; i++) {
    const [, name, inline] = /^--([^=]+)(?:=(.*))?$/s.exec(tokens[i]!) ?? []
    if (name === undefined) throw stray(tokens[i]!)
    const flag = find(name)
    if (flag === undefined)
      throw new RunnerError('USAGE', `unknown option '--${name}'`, didYouMean(`--${name}`, known))
    if (flag.negated && inline !== undefined)
      throw new RunnerError('USAGE', `option '--${name}' takes no value, got ${shorten(inline)}`)
    const value = valueOf(flag, name, inline ?? (isValueOf(flag, tokens[i + 1]) ? tokens[++i] : undefined))
    const key = JSON.stringify(flag.path)
    const before = set.get(key)
    // Moved to the end, so that it is applied after what was set in between.
    set.delete(key)
    set.set(key, {
      path: flag.path,
      value: before === undefined ? value : again(flag, before, value),
      times: (before?.times ?? 0) + 1,
    })
  }
  return [...set.values()].map(({ path, value }) => ({ path, value }))
}

function stray(token: string): RunnerError {
  if (token.startsWith('-') && token !== '-' && token !== '--')
    return new RunnerError('USAGE', `unknown option '${token}'`)
  return new RunnerError('USAGE', `unexpected argument ${shorten(token)}`, {
    hint: 'the payload is given as --field value, or as --data JSON',
  })
}

function isValueOf(flag: Flag, next: string | undefined): next is string {
  if (next === undefined || flag.negated) return false
  if (flag.kind === 'boolean') return next === 'true' || next === 'false'
  return !/^--[^-]/.test(next)
}

function valueOf(flag: Flag, name: string, text: string | undefined): unknown {
  if (text !== undefined) return flag.read(text)
  if (flag.kind === 'boolean' || flag.kind === 'loose') return !flag.negated
  throw new RunnerError('USAGE', `option '--${name}' needs a value`, {
    hint: `a value that starts with -- is written --${name}=VALUE`,
  })
}

/** A list grows, a flag without a schema becomes a list, of anything else the last counts. */
function again(flag: Flag, before: Pending, value: unknown): unknown {
  if (flag.kind === 'list') return [before.value, value].flat(1)
  if (flag.kind !== 'loose') return value
  return before.times === 1 ? [before.value, value] : [...(before.value as unknown[]), value]
}
