/** The store of buckets, and what it relies on, against a server that others have written: Ceph's RADOS gateway. */
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { takeIn } from '../../src/store/intake.ts'
import { openS3 } from '../../src/store/s3.ts'
import type { Store, StoredFile } from '../../src/store/store.ts'
import { content, sha256Of } from '../../bench/upload/content.ts'

const ceph = inject('ceph')
const MIB = 1024 ** 2
const Bucket = 'uploads'
const newKey = () => `2026/11/26/${randomUUID()}`

describe.skipIf(ceph === undefined)(ceph === undefined ? 'Ceph: not here' : 'Ceph', () => {
  const { endpoint, accessKeyId, secretAccessKey } = ceph ?? {
    endpoint: '',
    accessKeyId: '',
    secretAccessKey: '',
  }
  const place = `s3://${Bucket}/in?endpoint=${endpoint}`
  let client: S3Client
  let store: Store

  beforeAll(async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey })
    client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true })
    await client.send(new CreateBucketCommand({ Bucket }))
    store = openS3(place)
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    client.destroy()
  })
  afterEach(async () => {
    for await (const { key } of store.list()) await store.remove(key)
  })

  const takes = (source: Readable, signal?: AbortSignal) =>
    takeIn({ name: 'uploads', store }, source, {
      fileName: 'a.bin',
      declared: 'application/octet-stream',
      signal,
    })
  const keyOf = ({ $file }: { $file: string }) => $file.slice('uploads/'.length)
  async function left(): Promise<{ objects: number; uploads: number }> {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }))
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }))
    return { objects: Contents.length, uploads: Uploads.length }
  }

  it.each([
    ['nothing', 0],
    ['a byte', 1],
    ['a part to the byte', 5 * MIB],
    ['a part and a byte', 5 * MIB + 1],
    ['several parts', 23 * MIB + 7],
  ])('keeps %s as it was sent, and finds it in the list', async (_what, bytes) => {
    const ref = await takes(Readable.from(content(bytes, 1)))
    expect(ref).toMatchObject({ bytes, sha256: sha256Of(bytes, 1) })
    const kept = await buffer(await store.read(keyOf(ref)))
    expect(createHash('sha256').update(kept).digest('hex')).toBe(ref.sha256)
    const listed: StoredFile[] = []
    for await (const file of store.list()) listed.push(file)
    expect(listed).toEqual([{ key: keyOf(ref), bytes, storedAt: expect.any(Number) as number }])
    expect(await left()).toEqual({ objects: 1, uploads: 0 })
  })

  it('reads from a byte to a byte, across parts', async () => {
    const ref = await takes(Readable.from(content(6 * MIB, 2)))
    const whole = Buffer.concat([...content(6 * MIB, 2)])
    const [start, end] = [5 * MIB - 100, 5 * MIB + 99]
    const piece = await buffer(await store.read(keyOf(ref), { start, end }))
    expect(piece.equals(whole.subarray(start, end + 1))).toBe(true)
  })

  it('a file that is cut in its third part leaves no part and no object', async () => {
    const cut = new Error('the client went away')
    const source = Readable.from(
      (function* () {
        yield* content(12 * MIB, 3)
        throw cut
      })(),
    )
    await expect(takes(source)).rejects.toBe(cut)
    expect(await left()).toEqual({ objects: 0, uploads: 0 })
  })

  it('a file that is given up while parts are on their way leaves none of them', async () => {
    const controller = new AbortController()
    const gone = new Error('gone')
    let sent = 0
    const source = Readable.from(
      (function* () {
        for (const piece of content(40 * MIB, 4)) {
          sent += piece.length
          if (sent > 11 * MIB) controller.abort(gone)
          yield piece
        }
      })(),
    )
    await expect(takes(source, controller.signal)).rejects.toBe(gone)
    expect(sent).toBeLessThan(40 * MIB)
    expect(await left()).toEqual({ objects: 0, uploads: 0 })
  })

  // Of one part: Ceph 16 knows the condition of a PUT, and not yet that of the end of several parts.
  it('a file is not written over', async () => {
    const key = newKey()
    const write = (seed: number) =>
      pipeline(Readable.from(content(10, seed)), store.write(key, { type: 'text/plain' }))
    await write(5)
    await expect(write(6)).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringMatching(/412 PreconditionFailed/) as string,
    })
    const kept = await buffer(await store.read(key))
    expect(createHash('sha256').update(kept).digest('hex')).toBe(sha256Of(10, 5))
    expect((await left()).uploads).toBe(0)
  })

  it('sweeps uploads that were begun before, and not those of others', async () => {
    const begin = async (Key: string) => {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
      const about = { Bucket, Key, UploadId, PartNumber: 1, Body: Buffer.from('part') }
      await client.send(new UploadPartCommand(about))
      return { Bucket, Key, UploadId }
    }
    const ours = await begin(`in/${newKey()}`)
    const foreign = [await begin('in/notes.txt'), await begin(`out/${newKey()}`)]
    expect(await store.sweep(Date.now() - 60_000)).toBe(0)
    expect(await store.sweep(Date.now() + 60_000)).toBe(1)
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }))
    expect(new Set(Uploads.map(({ Key }) => Key))).toEqual(new Set(foreign.map(({ Key }) => Key)))
    // A second abort is told that there is nothing, which the store counts as done.
    await expect(client.send(new AbortMultipartUploadCommand(ours))).rejects.toMatchObject({
      name: 'NoSuchUpload',
    })
    for (const upload of foreign) await client.send(new AbortMultipartUploadCommand(upload))
  })

  it('what is not there is FILE_MISSING to a reader, and removed to who removes it', async () => {
    await expect(store.read(newKey())).rejects.toMatchObject({ code: 'FILE_MISSING' })
    await expect(store.remove(newKey())).resolves.toBeUndefined()
  })

  it('a bucket that is not there, and a secret that is wrong, are STORE_FAILED with what to do', async () => {
    const writeTo = async (other: Store) => {
      await using _ = other
      const writer = other.write(newKey(), { type: 'text/plain' })
      writer.end('text')
      await once(writer, 'finish')
    }
    await expect(writeTo(openS3(`s3://nowhere?endpoint=${endpoint}`))).rejects.toMatchObject({
      code: 'STORE_FAILED',
      hint: 'make the bucket: runner never does',
    })
    process.env['AWS_SECRET_ACCESS_KEY'] = 'wrong'
    try {
      await expect(writeTo(openS3(place))).rejects.toMatchObject({
        code: 'STORE_FAILED',
        hint: 'AWS_SECRET_ACCESS_KEY is wrong',
      })
    } finally {
      process.env['AWS_SECRET_ACCESS_KEY'] = secretAccessKey
    }
    expect(await left()).toEqual({ objects: 0, uploads: 0 })
  })
})
