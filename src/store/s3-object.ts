/** One object of a bucket while it is written: what a `PartWriter` asks for, in calls of S3. */
import { randomUUID } from 'node:crypto'
import type { Part, PartTarget } from './part-writer.ts'
import { statusOf, storeFailed, type S3 } from './s3-client.ts'

interface ObjectName {
  Bucket: string
  Key: string
}

/** Looks at an upload that was taken back: a part that was on its way may have come after that. */
const LOOKS = 3

/** Servers that do not know the condition, once they have said so. */
const unconditional = new WeakSet<object>()

export class S3Object implements PartTarget {
  readonly #open: () => Promise<S3>
  readonly #name: ObjectName
  readonly #type: string
  /** Tells whether what is there is what this one has written: the answer that said so may have been lost. */
  readonly #writer = randomUUID()

  constructor(open: () => Promise<S3>, name: ObjectName, type: string) {
    this.#open = open
    this.#name = name
    this.#type = type
  }

  async put(body: Buffer, signal: AbortSignal): Promise<void> {
    await this.#once('store', signal, ({ sdk, client }, condition) =>
      client.send(
        new sdk.PutObjectCommand({
          ...this.#about,
          Body: body,
          ContentLength: body.length,
          ...condition,
        }),
        { abortSignal: signal },
      ),
    )
  }

  async create(signal: AbortSignal): Promise<string> {
    const { sdk, client } = await this.#open()
    const command = new sdk.CreateMultipartUploadCommand(this.#about)
    const { UploadId } = await this.#tell('begin', client.send(command, { abortSignal: signal }))
    return UploadId ?? ''
  }

  async part(upload: string, number: number, body: Buffer, signal: AbortSignal): Promise<Part> {
    const { sdk, client } = await this.#open()
    const command = new sdk.UploadPartCommand({
      ...this.#name,
      UploadId: upload,
      PartNumber: number,
      Body: body,
      ContentLength: body.length,
    })
    const { ETag = '' } = await this.#tell(
      `store part ${number} of`,
      client.send(command, { abortSignal: signal }),
    )
    return { ETag, PartNumber: number }
  }

  async complete(upload: string, parts: Part[], signal: AbortSignal): Promise<void> {
    await this.#once('complete', signal, ({ sdk, client }, condition) =>
      client.send(
        new sdk.CompleteMultipartUploadCommand({
          ...this.#name,
          UploadId: upload,
          MultipartUpload: { Parts: parts },
          ...condition,
        }),
        { abortSignal: signal },
      ),
    )
  }

  async abort(upload: string): Promise<void> {
    await abortUpload(await this.#open(), { ...this.#name, UploadId: upload })
  }

  async remove(): Promise<void> {
    // Never what somebody else has put there.
    if (!(await this.#isOurs())) return
    const { sdk, client } = await this.#open()
    await client.send(new sdk.DeleteObjectCommand(this.#name))
  }

  get #about() {
    return { ...this.#name, ContentType: this.#type, Metadata: { writer: this.#writer } }
  }

  /** Only where nothing is, as far as the server knows that condition. */
  async #once(
    what: string,
    signal: AbortSignal,
    send: (s3: S3, condition: { IfNoneMatch?: '*' }) => Promise<unknown>,
  ): Promise<void> {
    const s3 = await this.#open()
    const { client } = s3
    try {
      await send(s3, unconditional.has(client) ? {} : { IfNoneMatch: '*' })
    } catch (error) {
      if (statusOf(error) === 501 && !unconditional.has(client)) {
        unconditional.add(client)
        await this.#once(what, signal, send)
        return
      }
      // It was done by a try whose answer was lost: the next one finds what that has made, or the upload gone.
      const isAgain = statusOf(error) === 412 || statusOf(error) === 404
      if (isAgain && !signal.aborted && (await this.#isOurs())) return
      throw storeFailed(`${what} ${this.#name.Key}`, error)
    }
  }

  async #isOurs(): Promise<boolean> {
    const { sdk, client } = await this.#open()
    try {
      const { Metadata } = await client.send(new sdk.HeadObjectCommand(this.#name))
      return Metadata?.['writer'] === this.#writer
    } catch (error) {
      if (statusOf(error) === 404) return false
      throw error
    }
  }

  async #tell<Answer>(what: string, answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer
    } catch (error) {
      throw storeFailed(`${what} ${this.#name.Key}`, error)
    }
  }
}

/** Until nothing of it is there: a server that has never heard of it has done its part. */
export async function abortUpload(
  { sdk, client }: S3,
  upload: ObjectName & { UploadId: string },
): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    const isGone = await client.send(new sdk.AbortMultipartUploadCommand(upload)).then(
      () => false,
      (error: unknown) => {
        if (statusOf(error) === 404) return true
        throw error
      },
    )
    if (isGone || !(await hasParts({ sdk, client }, upload))) return
  }
}

async function hasParts({ sdk, client }: S3, upload: ObjectName & { UploadId: string }): Promise<boolean> {
  try {
    const { Parts = [] } = await client.send(new sdk.ListPartsCommand({ ...upload, MaxParts: 1 }))
    return Parts.length > 0
  } catch (error) {
    // Gone, or this server, or this user, does not tell.
    if ((statusOf(error) ?? 500) < 500 || statusOf(error) === 501) return false
    throw error
  }
}
