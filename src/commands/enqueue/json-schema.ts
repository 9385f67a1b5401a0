/** The part of JSON Schema that flags are made from, as `z.toJSONSchema` writes it. */
export interface JsonSchema {
  $ref?: string
  $defs?: Record<string, JsonSchema>
  type?: string | string[]
  description?: string
  default?: unknown
  enum?: unknown[]
  const?: unknown
  format?: string
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  items?: boolean | JsonSchema
  prefixItems?: JsonSchema[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
}

export type JsonType = 'string' | 'number' | 'boolean' | 'object' | 'array' | 'null'

const ALL: readonly JsonType[] = ['string', 'number', 'boolean', 'object', 'array', 'null']

/** What `$ref` points to: '#' or '#/$defs/Name'. */
export function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema {
  if (schema.$ref === undefined) return schema
  if (schema.$ref === '#') return root
  const target = root.$defs?.[schema.$ref.replace(/^#\/\$defs\//, '')]
  return target === undefined ? {} : resolve(target, root)
}

const alternatives = (schema: JsonSchema): JsonSchema[] => [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]

/** The JSON types that a value may have. A schema that says nothing takes all. */
export function typesOf(schema: JsonSchema, root: JsonSchema): Set<JsonType> {
  const { type, enum: values, const: constant, ...rest } = resolve(schema, root)
  if (type !== undefined)
    return new Set([type].flat().map(one => (one === 'integer' ? 'number' : (one as JsonType))))
  if (values !== undefined) return new Set(values.map(typeOf))
  if (constant !== undefined) return new Set([typeOf(constant)])
  const members = alternatives(rest)
  if (members.length > 0) return new Set(members.flatMap(member => [...typesOf(member, root)]))
  const [first, ...others] = (rest.allOf ?? []).map(part => typesOf(part, root))
  return new Set(first === undefined ? ALL : [...first].filter(one => others.every(set => set.has(one))))
}

export function typeOf(value: unknown): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value as JsonType
}

/** True when `type` is the only one taken, leaving null aside. */
export function isOnly(type: JsonType, schema: JsonSchema, root: JsonSchema): boolean {
  const types = typesOf(schema, root)
  types.delete('null')
  return types.size === 1 && types.has(type)
}

/** The values that an enum, a constant or a union of constants allows; none means any. */
export function choicesOf(schema: JsonSchema, root: JsonSchema): unknown[] {
  const { enum: values, const: constant, ...rest } = resolve(schema, root)
  if (values !== undefined) return values
  if (constant !== undefined) return [constant]
  const members = alternatives(rest).map(member => choicesOf(member, root))
  return members.some(choices => choices.length === 0) ? [] : members.flat()
}

/** All named fields of an object: its own, those of an intersection, and those of every member of a union. */
export function propertiesOf(schema: JsonSchema, root: JsonSchema): Map<string, JsonSchema> {
  const { properties = {}, allOf = [], ...rest } = resolve(schema, root)
  const found = new Map(Object.entries(properties))
  for (const part of [...allOf, ...alternatives(rest)])
    for (const [name, other] of propertiesOf(part, root)) {
      const known = found.get(name)
      found.set(name, known === undefined ? other : { anyOf: [known, other] })
    }
  return found
}

/** The schema of fields that have no name of their own (z.record, z.looseObject); undefined where none may be. */
export function extraOf(schema: JsonSchema, root: JsonSchema): JsonSchema | undefined {
  const { additionalProperties: extra, allOf = [], ...rest } = resolve(schema, root)
  if (extra !== undefined) return extra === true ? {} : extra === false ? undefined : extra
  const parts = [...allOf, ...alternatives(rest)]
  return parts.map(part => extraOf(part, root)).find(found => found !== undefined)
}
