/** Fields of a form are text; what the schema of the job wants of them is a number, a flag or a list. */
import { isJson } from '../../job/problem.ts'

type Schema = Record<string, unknown>

/** What is no JSON, and what the schema has as text, stays text: the schema then says what is wrong with it. */
export function formValues(fields: Record<string, unknown>, schema: Schema = {}): Record<string, unknown> {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, valueOf(value, properties[name], schema)]),
  )
}

function valueOf(value: unknown, schema: Schema | undefined, root: Schema): unknown {
  if (typeof value !== 'string' || mayBeText(schema, root) || !isJson(value)) return value
  return JSON.parse(value)
}

/** Of an unknown field nothing is known, and text is what it is. */
function mayBeText(schema: Schema | undefined, root: Schema): boolean {
  if (schema === undefined) return true
  const { $ref: ref, type, anyOf, oneOf, enum: values, const: only } = schema
  if (typeof ref === 'string') return mayBeText(definitionOf(ref, root), root)
  const either = (anyOf ?? oneOf) as Schema[] | undefined
  if (either !== undefined) return either.some(one => mayBeText(one, root))
  if (Array.isArray(values)) return values.some(one => typeof one === 'string')
  if (only !== undefined) return typeof only === 'string'
  return type === undefined || [type].flat().includes('string')
}

function definitionOf(ref: string, root: Schema): Schema | undefined {
  const [, name] = /^#\/\$defs\/(.+)$/.exec(ref) ?? []
  return name === undefined ? undefined : (root['$defs'] as Record<string, Schema> | undefined)?.[name]
}
