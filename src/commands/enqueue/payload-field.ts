/** The fields of a payload as flags. */
import { isFileSchema } from '../../job/file.ts'
import { choicesOf, extraOf, isOnly, propertiesOf, resolve, typesOf, type JsonSchema } from './json-schema.ts'

/** Fields of a schema that refers to itself are flags down to here; below, `--data` or a JSON value. */
const DEEPEST = 6

export interface Field {
  /** ['address', 'zipCode'] */
  path: string[]
  /** Without dashes, the one that help shows first: 'address.zip-code', 'address.zipCode'. Names of one element last. */
  flags: string[]
  schema: JsonSchema
  kind: 'boolean' | 'list' | 'value'
  required: boolean
}

/** All fields of `root`, outer before inner. */
export function fieldsOf(root: JsonSchema): Field[] {
  const fields = fieldsBelow(root, [], true, root)
  nameLists(fields)
  return fields
}

function fieldsBelow(schema: JsonSchema, path: string[], required: boolean, root: JsonSchema): Field[] {
  if (path.length >= DEEPEST) return []
  const needed = resolve(schema, root).required ?? []
  return [...propertiesOf(schema, root)].flatMap(([name, property]) => {
    // Its flag is --file.
    if (isFileSchema(property)) return []
    const inner = [...path, name]
    const isRequired = required && needed.includes(name)
    const field: Field = {
      path: inner,
      flags: [...new Set([inner.map(kebab).join('.'), inner.join('.')])],
      schema: property,
      kind: kindOf(property, root),
      required: isRequired,
    }
    return [field, ...fieldsBelow(property, inner, isRequired, root)]
  })
}

function kindOf(schema: JsonSchema, root: JsonSchema): Field['kind'] {
  if (isOnly('boolean', schema, root)) return 'boolean'
  return isOnly('array', schema, root) ? 'list' : 'value'
}

const kebab = (name: string): string =>
  name.replace(/(?<=[a-z0-9])[A-Z]/g, letter => `-${letter}`).toLowerCase()

/** `--tag a --tag b` for a field `tags`, unless a field is named `tag`, or another list could be meant by it too. */
function nameLists(fields: Field[]): void {
  const taken = new Set(fields.flatMap(field => field.flags))
  const lists = fields.filter(field => field.kind === 'list')
  const names = lists.map(field => [...new Set(field.flags.flatMap(singulars))])
  for (const [i, field] of lists.entries()) {
    const others = new Set(names.toSpliced(i, 1).flat())
    field.flags.push(...names[i]!.filter(name => !taken.has(name) && !others.has(name)))
  }
}

/** What one of `name` may be called. English does not say which: boxes is of box, caches of cache. */
function singulars(name: string): string[] {
  // `status`, `address` and `analysis` are no plurals.
  if (!name.endsWith('s') || /(us|ss|is)$/.test(name)) return []
  const plain = name.slice(0, -1)
  if (name.endsWith('ies')) return [`${name.slice(0, -3)}y`, plain]
  return /(x|ch|sh|s)es$/.test(name) ? [name.slice(0, -2), plain] : [plain]
}

/** `--env.PATH /bin`: a field that only the record around it allows. */
export function extraField(name: string, fields: readonly Field[], root: JsonSchema): Field | undefined {
  const parts = name.split('.')
  for (let length = parts.length - 1; length >= 0; length--) {
    const prefix = parts.slice(0, length).join('.')
    const owner =
      length === 0 ? { path: [], schema: root } : fields.find(field => field.flags.includes(prefix))
    const schema = owner && extraOf(owner.schema, root)
    if (owner !== undefined && schema !== undefined)
      return {
        path: [...owner.path, ...parts.slice(length)],
        flags: [name],
        schema,
        kind: kindOf(schema, root),
        required: false,
      }
  }
  return undefined
}

/** For help: '<n>', '<a|b>', '<json>' ... */
export function placeholder({ schema, kind }: Field, root: JsonSchema): string {
  if (kind === 'boolean') return ''
  const { items } = resolve(schema, root)
  const of = kind === 'list' ? (typeof items === 'object' ? items : {}) : schema
  const choices = choicesOf(of, root)
  const dots = kind === 'list' ? '...' : ''
  if (choices.length > 0) return `<${choices.map(String).join('|')}${dots}>`
  if (isOnly('string', of, root)) return `<${resolve(of, root).format ?? 'text'}${dots}>`
  if (isOnly('number', of, root)) return `<n${dots}>`
  return typesOf(of, root).has('object') ? `<json${dots}>` : `<value${dots}>`
}
