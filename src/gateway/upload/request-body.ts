/**
 * The bytes of a request, as fast as they are asked for. It counts them, and ends with a Refusal when there are too many,
 * when the client is gone, or when it sends too slowly. Only time during which bytes were wanted counts: while the store
 * holds them back, nobody waits for the client.
 *
 * The request itself is never destroyed: its client still has to be told. Node hands over each HTTP chunk by itself, however
 * small; those of one read of the socket are taken as one buffer, or each would be an object in every stream behind this one.
 */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { formatMebibytes, formatMilliseconds } from '../../units.ts'
import { BUFFERED, type UploadLimits } from './limits.ts'
import { Refusal } from './refusal.ts'

/** Bytes that are worth to be handed on at once. */
const LARGE = 16 * 1024

export type Incoming = Pick<IncomingMessage, 'headers' | 'complete'> & Readable

export class RequestBody extends Readable {
  readonly #request: Incoming
  readonly #limits: Pick<UploadLimits, 'maxTotal' | 'idle' | 'minRate'>
  readonly #onBytes: (bytes: number) => void
  readonly #idle: NodeJS.Timeout
  #total = 0
  #isDue = false
  /** By performance.now(), since when bytes are wanted; undefined: they are not. */
  #wantedSince: number | undefined
  /** Of the stretch over which the rate is looked at: milliseconds in which bytes were wanted, and what came. */
  #stretch = { ms: 0, bytes: 0 }

  /** `onBytes` may throw a Refusal. */
  constructor(
    request: Incoming,
    limits: Pick<UploadLimits, 'maxTotal' | 'idle' | 'minRate'>,
    onBytes: (bytes: number) => void,
  ) {
    super({ highWaterMark: BUFFERED })
    this.#request = request
    this.#limits = limits
    this.#onBytes = onBytes
    this.#idle = setTimeout(() => this.#onIdle(), limits.idle).unref()
    request.on('readable', this.#look).on('end', this.#end).on('close', this.#close).on('error', this.#close)
    // Of one that was gone before anybody listened.
    if (request.destroyed) this.#close()
  }

  /** Bytes that were read of it. */
  get total(): number {
    return this.#total
  }

  override _read(): void {
    if (this.#wantedSince === undefined) {
      this.#wantedSince = performance.now()
      this.#idle.refresh()
    }
    this.#look()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#idle)
    this.#request.off('readable', this.#look).off('end', this.#end).off('close', this.#close)
    done(error)
  }

  readonly #look = () => {
    if (this.#wantedSince === undefined || this.#isDue) return
    if (this.#request.readableLength >= LARGE) return this.#take()
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      this.#take()
    })
  }

  #take(): void {
    if (this.#wantedSince === undefined || this.destroyed) return
    const chunk = this.#request.read() as Buffer | null
    if (chunk === null) return
    const now = performance.now()
    this.#stretch.ms += now - this.#wantedSince
    this.#stretch.bytes += chunk.length
    this.#wantedSince = undefined
    const wrong = this.#count(chunk.length) ?? this.#judgeRate()
    if (wrong === undefined) this.push(chunk)
    else this.destroy(wrong)
  }

  readonly #end = () => {
    this.#wantedSince = undefined
    this.push(null)
  }

  readonly #close = () => {
    if (!this.readableEnded && !this.#request.readableEnded)
      this.destroy(new Refusal('client_gone', 'the client has gone before all of it was sent'))
  }

  #count(bytes: number): Error | undefined {
    this.#total += bytes
    const { maxTotal } = this.#limits
    if (this.#total > maxTotal)
      return new Refusal('too_large', `the request has more than ${maxTotal} bytes`, {
        hint: `uploads.maxTotal is ${formatMebibytes(maxTotal)}`,
      })
    try {
      this.#onBytes(bytes)
    } catch (error) {
      return error as Error
    }
    return undefined
  }

  #judgeRate(): Error | undefined {
    const { idle, minRate } = this.#limits
    const { ms, bytes } = this.#stretch
    if (ms < idle) return undefined
    this.#stretch = { ms: 0, bytes: 0 }
    if (bytes >= (minRate * ms) / 1_000) return undefined
    return new Refusal('slow', `the client sends less than ${minRate} bytes a second`)
  }

  #onIdle(): void {
    const since = this.#wantedSince
    // The store holds them back: the clock is set again with the next byte that is wanted.
    if (since === undefined) return
    // A loop that was held up itself has bytes that it has not looked at yet.
    setImmediate(() => {
      if (this.#wantedSince === since && !this.destroyed)
        this.destroy(new Refusal('slow', `no byte has come for ${formatMilliseconds(this.#limits.idle)}`))
    })
  }
}
