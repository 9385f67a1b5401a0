/** From the text of a flag to the value its field takes. What does not fit is left as text: the schema says why. */
import { choicesOf, isOnly, resolve, typeOf, typesOf, type JsonSchema } from './json-schema.ts'

/**
 * `--count 3` is a number where the field takes one and text where it takes text. Where it takes several types,
 * JSON of one of them is that, and anything else is text. `null` is text for a field that takes text.
 */
export function valueFor(text: string, schema: JsonSchema, root: JsonSchema): unknown {
  const choice = choicesOf(schema, root).find(value => String(value) === text)
  if (choice !== undefined) return choice
  if (isOnly('string', schema, root)) return text
  const types = typesOf(schema, root)
  const value = types.size === 6 ? looseValue(text) : json(text)
  return value !== undefined && types.has(typeOf(value)) ? value : text
}

/** The elements that one occurrence of a list flag gives: a JSON array gives all of its own, other text is one. */
export function elementsFor(text: string, schema: JsonSchema, root: JsonSchema): unknown[] {
  const whole = text.startsWith('[') ? json(text) : undefined
  if (Array.isArray(whole)) return whole
  const { items, prefixItems } = resolve(schema, root)
  const element = typeof items === 'object' ? items : prefixItems ? { anyOf: prefixItems } : {}
  return [valueFor(text, element, root)]
}

/** Without a schema: JSON is what it says, anything else is text. So are integers too large to be exact. */
export function looseValue(text: string): unknown {
  const value = json(text)
  if (value === undefined) return text
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
