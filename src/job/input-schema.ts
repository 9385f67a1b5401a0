/**
 * The JSON Schema of a payload: of the zod schema's *input*, since that is what is stored in Redis, what flags
 * are made from, and what the schema is applied to, once, before the run. So a transform of a JSON value is fine,
 * and a schema that wants a value JSON has no form for (a Date, a Map, an instance) can never be satisfied.
 */
import { z } from 'zod'
import { RunnerError } from '../errors.ts'

const REASONS: Record<string, string> = {
  date: 'a Date is not JSON; take a string, as z.iso.datetime() or z.coerce.date() does',
  bigint: 'a bigint is not JSON; take a string or an integer, as z.coerce.bigint() does',
  map: 'a Map is not JSON; take z.record()',
  set: 'a Set is not JSON; take z.array()',
  symbol: 'a symbol is not JSON',
  nan: 'NaN is not JSON',
  file: 'a File is not JSON; take its path',
  function: 'a function is not JSON',
  promise: 'a promise is not JSON',
  custom: 'z.custom() and z.instanceof() do not say what JSON they take; use .refine() on a JSON schema',
  transform: 'z.transform() does not say what JSON it takes; use .transform() on a JSON schema',
}

/** What coercion takes instead of the value it makes. By the format a flag knows that its text is the better form. */
const COERCED: Record<string, Record<string, unknown>> = {
  date: { type: ['string', 'number'], format: 'date-time' },
  bigint: { type: ['string', 'integer'], format: 'int64' },
}

/** Throws JOB_SCHEMA_UNSERIALISABLE, naming each field that cannot be JSON and why; `where` opens the message. */
export function inputSchema(schema: z.ZodType, where: string): Record<string, unknown> {
  const faults: string[] = []
  let json: Record<string, unknown>
  try {
    json = z.toJSONSchema(schema, {
      io: 'input',
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema, path }) => {
        const { type, coerce } = zodSchema._zod.def as { type: string; coerce?: boolean }
        const coerced = coerce === true ? COERCED[type] : undefined
        if (coerced !== undefined) Object.assign(jsonSchema, coerced)
        else if (type in REASONS) faults.unshift(`${fieldOf(path)}: ${REASONS[type]}`)
      },
    })
  } catch (error) {
    throw new RunnerError('JOB_SCHEMA_UNSERIALISABLE', `${where}: args: ${String(error)}`, { cause: error })
  }
  if (faults.length === 0) return json
  // zod visits a wrapped schema twice, at the same path.
  const fields = [...new Set(faults)]
  throw new RunnerError(
    'JOB_SCHEMA_UNSERIALISABLE',
    `${where}: args cannot be stored as JSON: ${fields.join('; ')}`,
    {
      details: fields,
    },
  )
}

/** ['properties', 'list', 'items', 'properties', 'at'] -> 'list[].at': a path of fields, not of schema keywords. */
function fieldOf(path: readonly (string | number)[]): string {
  let field = ''
  for (let i = 0; i < path.length; i++) {
    const keyword = path[i]
    if (keyword === 'properties') field += `.${path[++i]}`
    else if (keyword === 'prefixItems') field += `[${path[++i]}]`
    else if (keyword === 'items') field += '[]'
    else if (keyword === 'additionalProperties' || keyword === 'propertyNames') field += '.*'
    // anyOf, allOf, oneOf and $defs are no field; the number or name that follows is theirs.
    else i++
  }
  return field.replace(/^\./, '') || '(payload)'
}
