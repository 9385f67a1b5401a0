/** From the text of a flag to the value its field takes. What does not fit is left as text: the schema says why. */
import { choicesOf, isOnly, resolve, typeOf, typesOf, type JsonSchema } from './json-schema.ts'

/**
 * `--count 3` is a number where the field takes one and text where it takes text. Where it takes several types,
 * JSON of one of them is that, and anything else is text. `null` is text for a field that takes text.
 */
export function valueFor(text: string, schema: JsonSchema, root: JsonSchema): unknown {
  const choice = choicesOf(schema, root).find(value => String(value) === text)
  if (choice !== undefined) return choice
  if (isOnly('string', schema, root) || isCoercedFrom(text, schema, root)) return text
  const types = typesOf(schema, root)
  const value = types.has('string') ? looseValue(text) : json(text)
  return value !== undefined && types.has(typeOf(value)) ? value : text
}

/**
 * z.coerce.date() and z.coerce.bigint() read text themselves, and better: as a number, 2026 would be a millisecond of
 * 1970 and the last digits of 12345678901234567890 would be lost.
 */
function isCoercedFrom(text: string, schema: JsonSchema, root: JsonSchema): boolean {
  const { type, anyOf = [], format } = resolve(schema, root)
  // Of a nullable or optional one.
  if (anyOf.some(member => isCoercedFrom(text, member, root))) return true
  if (!Array.isArray(type) || !type.includes('string')) return false
  return format === 'int64' || (format === 'date-time' && !Number.isNaN(Date.parse(text)))
}

/** The elements that one occurrence of a list flag gives: a JSON array gives all of its own, other text is one. */
export function elementsFor(text: string, schema: JsonSchema, root: JsonSchema): unknown[] {
  const whole = text.startsWith('[') ? json(text) : undefined
  if (Array.isArray(whole)) return whole
  const { items, prefixItems } = resolve(schema, root)
  const element = typeof items === 'object' ? items : prefixItems ? { anyOf: prefixItems } : {}
  return [valueFor(text, element, root)]
}

/**
 * Where text is fine too: JSON is what it says, anything else is text. So are numbers that would come out written in
 * another way: a version 1.10, an id of twenty digits.
 */
export function looseValue(text: string): unknown {
  const value = json(text)
  if (value === undefined || (typeof value === 'number' && String(value) !== text)) return text
  return value
}

/** Not of 1e999: JSON has no infinity, it would be stored as null. */
function json(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'number' && !Number.isFinite(value) ? undefined : value
  } catch {
    return undefined
  }
}
