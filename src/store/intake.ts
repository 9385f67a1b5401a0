/**
 * The one way in: bytes are counted, hashed and looked at while they are on their way to the store, and none of them is
 * kept here. Either all of them are stored, and there is a reference to them, or nothing is.
 */
import { createHash, randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { RunnerError } from '../errors.ts'
import type { FileRef } from '../file-ref.ts'
import { SNIFFED, mediaType, plain, type Claim } from './media-type.ts'
import type { Store, StoreWriter } from './store.ts'

export interface NamedStore {
  /** As references name it. */
  name: string
  store: Store
}

export interface Intake extends Claim {
  /** Default: no limit. */
  maxBytes?: number | undefined
  /** Ends it, and leaves nothing. */
  signal?: AbortSignal | undefined
}

/** Milliseconds for a store to take back what was begun, once it was aborted: a process that ends has not much more. */
const TAKING_BACK = 2_000

/**
 * Stores `source` to its end. It is destroyed when it is not read to its end.
 *
 * Rejects when nothing of it is left in the store, or 2 s after the abort where the store hangs, which leaves the rest to the
 * sweep: with FILE_REFUSED, details `{ reason: 'type' }` or `{ reason: 'size',
 * limit }`; with STORE_FAILED; with what `source` failed with; with the reason of the signal.
 */
export async function takeIn(target: NamedStore, source: Readable, about: Intake): Promise<FileRef> {
  const { fileName, maxBytes = Infinity, signal } = about
  const abort = () => source.destroy(reasonOf(signal))
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted === true) abort()
  const meter = new Meter(source, fileName, maxBytes)
  try {
    const type = await mediaType(await meter.head(), about)
    const key = newKey()
    const writer = target.store.write(key, { type })
    const storing = storeAll(meter.chunks(), writer, signal).catch(async error => {
      source.destroy()
      // It was whole before the abort came, and nobody has heard of it.
      if (writer.writableFinished) await target.store.remove(key).catch(() => undefined)
      throw signal?.aborted === true ? reasonOf(signal) : error
    })
    await untilLate(storing, signal)
    return { $file: `${target.name}/${key}`, ...meter.result(), type, name: plain(fileName) }
  } catch (error) {
    await meter.end()
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

/** A store that hangs asks for nothing, and would never hear of the end of its source: of the abort it is told by itself. */
async function storeAll(
  chunks: AsyncIterable<Buffer>,
  writer: StoreWriter,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await pipeline(chunks, writer, signal === undefined ? {} : { signal })
  } finally {
    await writer.settled
  }
}

/** As `act`, or rejects with the signal's reason when `act` has not come to its end a while after the abort. */
async function untilLate(act: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  let timer: NodeJS.Timeout | undefined
  const wait = () => (timer = setTimeout(() => reject(reasonOf(signal)), TAKING_BACK))
  if (signal?.aborted === true) wait()
  else signal?.addEventListener('abort', wait, { once: true })
  try {
    await Promise.race([act, late])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', wait)
  }
}

/** What the sweeper sorts by is in it, and what the client sent is not. */
function newKey(): string {
  return `${new Date().toISOString().slice(0, 10).replaceAll('-', '/')}/${randomUUID()}`
}

const reasonOf = (signal: AbortSignal | undefined): Error =>
  signal?.reason instanceof Error ? signal.reason : new Error('the upload was aborted')

class Meter {
  readonly #source: Readable
  readonly #chunks: AsyncIterator<Buffer>
  readonly #fileName: string
  readonly #maxBytes: number
  readonly #hash = createHash('sha256')
  #head: Buffer[] = []
  #bytes = 0

  constructor(source: Readable, fileName: string, maxBytes: number) {
    this.#source = source
    this.#chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    this.#fileName = fileName
    this.#maxBytes = maxBytes
  }

  /** The first bytes, kept for `chunks`. */
  async head(): Promise<Buffer> {
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) {
      this.#head.push(chunk)
      if (this.#bytes >= SNIFFED) break
    }
    // One piece from here on: it may have come in single bytes.
    this.#head = [Buffer.concat(this.#head)]
    return this.#head[0]!.subarray(0, SNIFFED)
  }

  async *chunks(): AsyncGenerator<Buffer> {
    const [head] = this.#head
    this.#head = []
    if (head !== undefined && head.length > 0) yield head
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk
  }

  result(): { sha256: string; bytes: number } {
    return { sha256: this.#hash.digest('hex'), bytes: this.#bytes }
  }

  async end(): Promise<void> {
    this.#source.destroy()
    await this.#chunks.return?.().catch(() => undefined)
  }

  async #next(): Promise<Buffer | undefined> {
    const { done, value } = await this.#chunks.next()
    if (done === true) return undefined
    this.#bytes += value.length
    if (this.#bytes > this.#maxBytes) {
      const limit = this.#maxBytes
      throw new RunnerError('FILE_REFUSED', `${plain(this.#fileName)} has more than ${limit} bytes`, {
        details: { reason: 'size', limit },
      })
    }
    this.#hash.update(value)
    return value
  }
}
