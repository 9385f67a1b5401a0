/** The other parser of forms, as the reader takes one: what mutated forms do to busboy is compared with what they do to it. */
import { Busboy } from '@fastify/busboy'
import type { OpenParser } from '../../src/gateway/upload/form-parser.ts'

export const openFastifyBusboy: OpenParser = (boundary, { maxFiles, maxFields, maxField }, found) =>
  new Busboy({
    headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
    limits: { files: maxFiles, fields: maxFields, fieldSize: maxField + 1 },
  })
    .on('file', (name: string | undefined, body, fileName: string | undefined, _encoding, type) =>
      found.file(name, body, { fileName, type }),
    )
    .on('field', (name: string | undefined, value, _nameIsCut, isCut, _encoding, type) =>
      found.field(name, value, { type, isCut }),
    )
    .on('filesLimit', () => found.tooMany('files'))
    .on('fieldsLimit', () => found.tooMany('fields'))
