/**
 * What the reader needs of a parser of forms, and busboy as one. A parser takes bytes with back pressure, and says what it
 * finds. It knows nothing of names, limits of files, or of what is done with them.
 */
import type { Readable, Writable } from 'node:stream'
import busboy from 'busboy'
import { BUFFERED, type UploadLimits } from './limits.ts'

export interface FormFindings {
  /** `body` ends when the part does; the parser goes on when it was read. */
  file: (
    name: string | undefined,
    body: Readable,
    about: { fileName: string | undefined; type: string },
  ) => void
  /** `value` undefined: its bytes are none of the charset that they were said to be in. `isCut`: it is longer than the limit. */
  field: (
    name: string | undefined,
    value: string | undefined,
    about: { type: string; isCut: boolean },
  ) => void
  /** There are more `files` or `fields` than allowed: what follows would be left out. */
  tooMany: (what: 'files' | 'fields') => void
}

type ParserLimits = Pick<UploadLimits, 'maxFiles' | 'maxFields' | 'maxField'>
export type OpenParser = (boundary: string, limits: ParserLimits, found: FormFindings) => Writable

/** Files have no limit here: at it, busboy ends a file as if it were whole. Fields that have just the limit count as cut, hence the one more. */
export const openBusboy: OpenParser = (boundary, { maxFiles, maxFields, maxField }, found) =>
  busboy({
    headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
    limits: { files: maxFiles, fields: maxFields, fieldSize: maxField + 1 },
    defParamCharset: 'utf8',
    highWaterMark: BUFFERED,
    fileHwm: BUFFERED,
  })
    .on('file', (name: string | undefined, body, { filename, mimeType }) =>
      found.file(name, body, { fileName: filename, type: mimeType }),
    )
    .on('field', (name: string | undefined, value: string | undefined, { mimeType, valueTruncated }) =>
      found.field(name, value, { type: mimeType, isCut: valueTruncated }),
    )
    .on('filesLimit', () => found.tooMany('files'))
    .on('fieldsLimit', () => found.tooMany('fields'))
