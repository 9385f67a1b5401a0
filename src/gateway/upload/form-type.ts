/** What the headers of an upload say, judged before a byte of its body is read. */
import type { IncomingHttpHeaders } from 'node:http'
import { formatMebibytes } from '../../units.ts'
import { Refusal } from './refusal.ts'

export interface Form {
  boundary: string
  /** Bytes of the body; undefined: it comes in chunks, and nobody knows. */
  length: number | undefined
  /** Of the one file, 64 hex digits. */
  sha256: string | undefined
}

const FORM = /^multipart\/form-data\s*(?<params>(?:;.*)?)$/i
/** Token or quoted string. A second one of the same name would leave it to the reader which counts. */
const PARAMETER = /;\s*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))\s*/gy
/** RFC 2046: 1 to 70 of these, the last one no space. */
const BOUNDARY = /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/
const HEX = /^[0-9a-f]{64}$/i

/** Throws Refusal 400, 413, 415. `most`: bytes. */
export function readForm(headers: IncomingHttpHeaders, most: number): Form {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers
  const { params } = FORM.exec(type.trim())?.groups ?? {}
  if (params === undefined)
    throw new Refusal('media_type', 'files are sent as multipart/form-data', {
      hint: 'curl sets it by itself: curl -F users=@users.csv ...',
    })
  if (encoding.toLowerCase() !== 'identity')
    throw new Refusal('encoding', 'a body with Content-Encoding is not unpacked', {
      hint: 'send it as it is, or pack the file itself and let the job unpack it',
    })
  const { boundary, charset = 'utf-8' } = readParameters(params)
  if (boundary === undefined) throw new Refusal('malformed', 'the Content-Type has no boundary')
  if (!BOUNDARY.test(boundary))
    throw new Refusal('malformed', 'the boundary is not 1 to 70 characters that RFC 2046 allows')
  if (!/^(utf-?8|us-ascii)$/i.test(charset))
    throw new Refusal('media_type', `forms are read as UTF-8, not as ${charset.slice(0, 40)}`)
  return { boundary, length: readLength(headers, most), sha256: readSum(headers) }
}

function readParameters(text: string): Record<string, string | undefined> {
  const found = new Map<string, string>()
  let read = 0
  for (const [whole, name = '', quoted, token = ''] of text.matchAll(PARAMETER)) {
    read += whole.length
    if (found.has(name.toLowerCase())) throw new Refusal('malformed', 'the Content-Type says a thing twice')
    found.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? token)
  }
  if (read !== text.length) throw new Refusal('malformed', 'the Content-Type cannot be read')
  return { boundary: found.get('boundary'), charset: found.get('charset') }
}

function readLength({ 'content-length': text }: IncomingHttpHeaders, most: number): number | undefined {
  if (text === undefined) return undefined
  const length = Number(text)
  if (length <= most) return length
  throw new Refusal('too_large', `the request has ${text} bytes, of ${most} that it may have`, {
    hint: `uploads.maxTotal is ${formatMebibytes(most)}`,
  })
}

function readSum({ 'x-checksum-sha256': sum }: IncomingHttpHeaders): string | undefined {
  if (sum === undefined) return undefined
  if (typeof sum === 'string' && HEX.test(sum)) return sum.toLowerCase()
  throw new Refusal('checksum', 'X-Checksum-SHA256 is not 64 hex digits')
}
