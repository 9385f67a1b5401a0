/**
 * What a file is, by its first bytes. Text has no such bytes: there the one that was declared counts, or the end of the
 * name where nothing was, as long as the bytes are text at all. What claims to be an image and is none is refused.
 */
import { RunnerError } from '../errors.ts'
import { isOfType } from '../file-ref.ts'

/** Bytes that are looked at. */
export const SNIFFED = 4_100

/** Declared by clients that know no better, or by Windows for every CSV. */
const VAGUE = /^(application\/(octet-stream|x-www-form-urlencoded|vnd\.ms-excel)|text\/plain|\*\/\*)$/
/** By the end of the name, for text that nobody declared. */
const BY_NAME: Record<string, string> = {
  csv: 'text/csv',
  htm: 'text/html',
  html: 'text/html',
  json: 'application/json',
  jsonl: 'application/jsonl',
  md: 'text/markdown',
  ndjson: 'application/x-ndjson',
  sql: 'application/sql',
  tsv: 'text/tab-separated-values',
  txt: 'text/plain',
  yaml: 'application/yaml',
  yml: 'application/yaml',
}
/** Text, though not called so. Anything else that is not text/* has bytes that tell it, or is of no known kind. */
const TEXTUAL =
  /^(text\/|application\/(json|jsonl|x-ndjson|ndjson|sql|yaml|x-yaml|javascript|graphql|toml|.*\+json$))/
/** Containers: the bytes tell these, and only what is further behind tells which of those they hold. */
const HOLDS: Record<string, RegExp> = {
  'application/zip':
    /^application\/(vnd\.openxmlformats-officedocument|vnd\.oasis\.opendocument|epub\+zip|java-archive)/,
  'application/xml': /^(image\/svg\+xml|text\/xml|application\/(.*\+)?xml)$/,
  'application/x-cfb': /^application\/(msword|vnd\.ms-(excel|powerpoint|outlook))/,
}

export interface Claim {
  /** As the client calls it. */
  fileName: string
  /** Media type that the client says. */
  declared?: string | undefined
  /** Those that are taken: 'text/csv', 'image/*'. Absent: any. */
  types?: readonly string[] | undefined
}

/** Throws FILE_REFUSED with the details `{ reason: 'type' }`. */
export async function mediaType(head: Uint8Array, claim: Claim): Promise<string> {
  const type = await found(head, claim)
  const { types, fileName } = claim
  if (types === undefined || isOfType(type, types)) return type
  const hint =
    type === 'application/octet-stream' && isText(head)
      ? `nothing says what kind of text it is: declare its type, as curl -F 'file=@${plain(fileName)};type=text/csv' does`
      : undefined
  throw refused(`${plain(fileName)} is ${type}, and only ${types.join(', ')} is taken`, hint)
}

async function found(head: Uint8Array, { fileName, declared: given }: Claim): Promise<string> {
  const declared = clean(given)
  // Not for everybody who loads a store.
  const { fileTypeFromBuffer, supportedMimeTypes } = await import('file-type')
  const told = (await fileTypeFromBuffer(head))?.mime.split(';')[0]
  if (told !== undefined)
    return declared !== undefined && HOLDS[told]?.test(declared) === true ? declared : told
  const isVague = declared === undefined || VAGUE.test(declared)
  if (!isText(head)) {
    if (isVague) return 'application/octet-stream'
    if (TEXTUAL.test(declared) || supportedMimeTypes.has(declared))
      throw refused(`${plain(fileName)} is declared as ${declared}, and its bytes are not`)
    return declared
  }
  const named = BY_NAME[fileName.slice(fileName.lastIndexOf('.') + 1).toLowerCase()]
  if (isVague) return named ?? (declared === 'text/plain' ? declared : 'application/octet-stream')
  if (supportedMimeTypes.has(declared) && !TEXTUAL.test(declared) && !/xml/.test(declared))
    throw refused(`${plain(fileName)} is declared as ${declared}, and its bytes are text`)
  return declared
}

/** No NUL: every text that is not UTF-16 is without, and nearly nothing else is for 4,100 bytes. */
const isText = (head: Uint8Array): boolean => !head.includes(0)

/** Without parameters; undefined for what is no media type. It gets into a header of the store, and into logs. */
function clean(declared: string | undefined): string | undefined {
  const type = declared?.split(';')[0]?.trim().toLowerCase() ?? ''
  return /^[\w!#$&^.+-]{1,63}\/[\w!#$&^.+-]{1,127}$/.test(type) ? type : undefined
}

function refused(message: string, hint?: string): RunnerError {
  return new RunnerError('FILE_REFUSED', message, {
    details: { reason: 'type' },
    ...(hint === undefined ? {} : { hint }),
  })
}

/** What a client calls a file, for people: its last part, without what moves a terminal or turns text around, 255 bytes at most. */
export function plain(fileName: string): string {
  const last = fileName.slice(Math.max(fileName.lastIndexOf('/'), fileName.lastIndexOf('\\')) + 1)
  const text = last.normalize('NFC').replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
  // A byte each at least: a name of 16 KB is not gone through sign by sign.
  let short = text.slice(0, 255)
  while (Buffer.byteLength(short) > 255) short = short.slice(0, -1)
  return short.isWellFormed() ? short || 'unnamed' : short.slice(0, -1)
}
