/** `file()`: a field of a payload that is a file. The payload holds a reference, and `ctx.file()` reads the bytes. */
import { z } from 'zod'
import { RunnerError, messageOf } from '../errors.ts'
import { isOfType, readFilePlace, type FileRef } from '../file-ref.ts'
import { bytes, type Size } from '../units.ts'
import type { FileField } from './manifest.ts'

export type { FileRef } from '../file-ref.ts'

/** Keyword in the JSON Schema of such a field: its value is `{ types?, maxBytes? }`. */
const KEYWORD = 'x-runner-file'

export interface FileOptions {
  /** Media types that are taken: 'text/csv', 'image/*'. Default: any. */
  types?: readonly string[]
  /** Default: the setting `uploads.maxFile`. */
  maxBytes?: Size
}

/**
 * A zod schema for `args`: takes a reference as `runner enqueue --file` and `POST /v1/jobs/{name}` make it, and nothing
 * else. As a field of the payload's object, or `z.array(file())` there. Throws JOB_OPTION_INVALID.
 *
 * @example
 * export default job({
 *   args: z.object({ users: file({ types: ['text/csv'], maxBytes: '1GiB' }) }),
 *   async run({ args, file }) { for await (const chunk of await file(args.users)) count(chunk) },
 * })
 */
export function file({ types, maxBytes }: FileOptions = {}): z.ZodType<FileRef, FileRef> {
  const wrong = types?.find(type => !/^[\w!#$&^.+-]+\/([\w!#$&^.+-]+|\*)$/.test(type))
  if (wrong !== undefined || types?.length === 0)
    throw new RunnerError(
      'JOB_OPTION_INVALID',
      `file(): types: expected text/csv or image/*, got ${wrong ?? '[]'}`,
    )
  const limit = maxBytes === undefined ? undefined : sizeOf(maxBytes)
  return z
    .strictObject({
      $file: z
        .string()
        .refine(
          place => readFilePlace(place) !== undefined,
          'expected <store>/<key>, as a reference to a stored file has it',
        ),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits'),
      bytes: z.int().min(0),
      type: z.string().max(255),
      name: z.string().max(255),
    })
    .superRefine((ref, ctx) => {
      if (types !== undefined && !isOfType(ref.type, types))
        ctx.addIssue({ code: 'custom', path: ['type'], message: `expected ${types.join(' or ')}` })
      if (limit !== undefined && ref.bytes > limit)
        ctx.addIssue({ code: 'custom', path: ['bytes'], message: `expected at most ${limit} bytes` })
    })
    .meta({
      [KEYWORD]: { ...(types !== undefined && { types }), ...(limit !== undefined && { maxBytes: limit }) },
    })
}

function sizeOf(size: Size): number {
  try {
    return bytes(size)
  } catch (error) {
    throw new RunnerError('JOB_OPTION_INVALID', `file(): maxBytes: ${messageOf(error)}`, { cause: error })
  }
}

interface Property {
  [KEYWORD]?: { types?: string[]; maxBytes?: number }
  items?: Property
  anyOf?: Property[]
  allOf?: Property[]
}

/** The fields of an object, as its JSON Schema has them, that are files or lists of files. Undefined: there are none. */
export function fileFields(schema: Record<string, unknown>): Record<string, FileField> | undefined {
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, Property>
    required?: string[]
  }
  const fields: Record<string, FileField> = {}
  for (const [name, property] of Object.entries(properties)) {
    const one = fileOf(property)
    const listed =
      one ??
      inside(property)
        .map(part => part.items && fileOf(part.items))
        .find(isGiven)
    if (listed === undefined) continue
    fields[name] = {
      ...listed,
      ...(one === undefined && { list: true as const }),
      ...(!required.includes(name) && { optional: true as const }),
    }
  }
  return Object.keys(fields).length === 0 ? undefined : fields
}

/** Whether the JSON Schema of a field is that of a file, or of a list of them. */
export const isFileSchema = (schema: object): boolean =>
  fileFields({ properties: { field: schema } }) !== undefined

const fileOf = (property: Property) =>
  inside(property)
    .map(part => part[KEYWORD])
    .find(isGiven)

/** Itself, and what `.nullable()`, `.describe()` and their like wrap. */
const inside = (property: Property): Property[] => [
  property,
  ...[...(property.anyOf ?? []), ...(property.allOf ?? [])].flatMap(inside),
]

const isGiven = <Value>(value: Value | undefined): value is Value => value !== undefined
