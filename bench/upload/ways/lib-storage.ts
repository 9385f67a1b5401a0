/** busboy's stream, given to the SDK's own upload in parts, with the sizes that it has by default. */
import { randomUUID } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { Upload } from '@aws-sdk/lib-storage'
import busboy from 'busboy'
import type { Place, Receive } from '../ways.ts'
import { openBucket } from './bucket.ts'

export function open({ place }: Place): Receive {
  const { client, Bucket } = openBucket(place)
  return async request => {
    const parser = busboy({ headers: request.headers })
    const uploads: Promise<unknown>[] = []
    parser.on('file', (_name, file) => {
      uploads.push(new Upload({ client, params: { Bucket, Key: randomUUID(), Body: file } }).done())
    })
    await pipeline(request, parser)
    await Promise.all(uploads)
    return { files: uploads.length }
  }
}
