/** multer writes the file into a folder, from where it is put into the bucket. */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import multer from 'multer'
import type { Place, Receive } from '../ways.ts'
import { openBucket } from './bucket.ts'

export function open({ place, folder }: Place): Receive {
  const { client, Bucket } = openBucket(place)
  const read = promisify(multer({ dest: folder }).single('file')) as (
    request: unknown,
    response: unknown,
  ) => Promise<void>
  return async (request, response) => {
    await read(request, response)
    const { path, size } = (request as unknown as { file: Express.Multer.File }).file
    const about = { Bucket, Key: randomUUID(), ContentLength: size }
    await client.send(new PutObjectCommand({ ...about, Body: createReadStream(path) }))
    await rm(path)
    return { bytes: size }
  }
}
