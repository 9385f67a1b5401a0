/** multer holds the file, then it is put into the bucket as one object. */
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import multer from 'multer'
import type { Place, Receive } from '../ways.ts'
import { openBucket } from './bucket.ts'

export function open({ place }: Place): Receive {
  const { client, Bucket } = openBucket(place)
  const read = promisify(multer({ storage: multer.memoryStorage() }).single('file')) as (
    request: unknown,
    response: unknown,
  ) => Promise<void>
  return async (request, response) => {
    await read(request, response)
    const { buffer, size } = (request as unknown as { file: Express.Multer.File }).file
    await client.send(new PutObjectCommand({ Bucket, Key: randomUUID(), Body: buffer }))
    return { bytes: size }
  }
}
