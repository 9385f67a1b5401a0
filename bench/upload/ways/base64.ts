/** The file is text in a JSON body, which is read as a whole. */
import { randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { Place, Receive } from '../ways.ts'
import { openBucket } from './bucket.ts'

export function open({ place }: Place): Receive {
  const { client, Bucket } = openBucket(place)
  return async request => {
    const { file } = JSON.parse(await text(request)) as { file: string }
    const Body = Buffer.from(file, 'base64')
    await client.send(new PutObjectCommand({ Bucket, Key: randomUUID(), Body }))
    return { bytes: Body.length }
  }
}
