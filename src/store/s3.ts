/** A bucket of S3, or of what speaks it. Objects are `<prefix><year>/<month>/<day>/<uuid>`. */
import type { Readable } from 'node:stream'
import type {
  ListMultipartUploadsCommand,
  ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3'
import { RunnerError } from '../errors.ts'
import { readFilePlace } from '../file-ref.ts'
import { PartBuffers } from './part-buffers.ts'
import { PartWriter } from './part-writer.ts'
import { openS3Client, statusOf, storeFailed, type S3 } from './s3-client.ts'
import { S3Object, abortUpload } from './s3-object.ts'
import { readS3Place, type S3Place } from './s3-place.ts'
import type { ReadOptions, Store, StoreWriter, StoredFile } from './store.ts'

/** Throws CONFIG_INVALID for a place that cannot be one. Nothing is reached before the first call. */
export const openS3 = (place: string): Store => new S3Store(readS3Place(place))

class S3Store implements Store {
  readonly where: string
  readonly #place: S3Place
  readonly #buffers: PartBuffers
  #s3: Promise<S3> | undefined

  constructor(place: S3Place) {
    this.#place = place
    this.where = `s3://${place.bucket}/${place.prefix}`.replace(/\/$/, '')
    this.#buffers = new PartBuffers(place.partSize)
  }

  write(key: string, { type }: { type: string }): StoreWriter {
    const object = new S3Object(() => this.#open(), this.#nameOf(key), type)
    return new PartWriter(object, this.#buffers, this.#place)
  }

  async read(key: string, { start, end, signal }: ReadOptions = {}): Promise<Readable> {
    const { sdk, client } = await this.#open()
    const isPart = start !== undefined || end !== undefined
    try {
      const command = new sdk.GetObjectCommand({
        ...this.#nameOf(key),
        ...(isPart && { Range: `bytes=${start ?? 0}-${end ?? ''}` }),
      })
      const { Body } = await client.send(command, signal === undefined ? {} : { abortSignal: signal })
      return Body as Readable
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      if (statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket')
        throw new RunnerError('FILE_MISSING', `there is no file ${key} in ${this.where}`)
      throw storeFailed(`read ${key} in ${this.where}`, error)
    }
  }

  async remove(key: string): Promise<void> {
    const { sdk, client } = await this.#open()
    try {
      await client.send(new sdk.DeleteObjectCommand(this.#nameOf(key)))
    } catch (error) {
      if (statusOf(error) !== 404) throw storeFailed(`remove ${key} in ${this.where}`, error)
    }
  }

  async *list(): AsyncIterable<StoredFile> {
    const { sdk, client } = await this.#open()
    const { bucket: Bucket, prefix: Prefix } = this.#place
    let ContinuationToken: string | undefined
    do {
      const command: ListObjectsV2Command = new sdk.ListObjectsV2Command({
        Bucket,
        Prefix,
        ContinuationToken,
      })
      const page: ListObjectsV2CommandOutput = await this.#ask('list', () => client.send(command))
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
        const key = Key.slice(Prefix.length)
        // Beside ours there may be others: they are not looked at, and never removed.
        if (readFilePlace(`x/${key}`) !== undefined)
          yield { key, bytes: Size, storedAt: LastModified?.getTime() ?? Date.now() }
      }
      ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (ContinuationToken !== undefined)
  }

  async sweep(before: number): Promise<number> {
    const { sdk, client } = await this.#open()
    const { bucket: Bucket, prefix: Prefix } = this.#place
    const found: { Key: string; UploadId: string }[] = []
    let markers: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {}
    do {
      const command: ListMultipartUploadsCommand = new sdk.ListMultipartUploadsCommand({
        Bucket,
        Prefix,
        ...markers,
      })
      const page: ListMultipartUploadsCommandOutput = await this.#ask('list the uploads', () =>
        client.send(command),
      )
      for (const { Key = '', UploadId = '', Initiated } of page.Uploads ?? [])
        if (Initiated !== undefined && Initiated.getTime() < before) found.push({ Key, UploadId })
      markers =
        page.IsTruncated === true
          ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
          : undefined
    } while (markers !== undefined)
    const ours = found.filter(({ Key }) => readFilePlace(`x/${Key.slice(Prefix.length)}`) !== undefined)
    for (const upload of ours)
      await this.#ask('take back an upload', () => abortUpload({ sdk, client }, { Bucket, ...upload }))
    return ours.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const s3 = await this.#s3?.catch(() => undefined)
    this.#s3 = undefined
    s3?.client.destroy()
  }

  async #ask<Answer>(what: string, send: () => Promise<Answer>): Promise<Answer> {
    try {
      return await send()
    } catch (error) {
      throw storeFailed(`${what} in ${this.where}`, error)
    }
  }

  #nameOf(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#place.bucket, Key: `${this.#place.prefix}${key}` }
  }

  /** A package that is not there may be there after the next deployment: only what was opened is kept. */
  #open(): Promise<S3> {
    this.#s3 ??= openS3Client(this.#place).catch((error: unknown) => {
      this.#s3 = undefined
      throw error
    })
    return this.#s3
  }
}
