/**
 * Uploads that are received at once, of all callers and of each. A place is had before the first byte is read. Counts are
 * of this process: several gateways behind one address each have as many.
 */
import { formatMebibytes } from '../../units.ts'
import type { Caller } from '../caller.ts'
import type { UploadLimits } from './limits.ts'
import { Refusal } from './refusal.ts'

/** Seconds. Others end, and nobody knows when. */
const RETRY_AFTER = 5

export interface Slot {
  /** So many more bytes have come. Throws Refusal 429 beyond what the caller may have on its way. */
  grow: (bytes: number) => void
  /** Idempotent. */
  release: () => void
}

interface Share {
  uploads: number
  bytes: number
}

/** One that is received now. */
export interface ActiveUpload {
  /** Of this process, in the order in which they began. */
  id: string
  /** Name of the token that it came with. */
  token: string
  /** Of the body, so far. */
  bytes: number
  /** Milliseconds since the epoch. */
  since: number
}

type Limited = Pick<Caller, 'name' | 'uploads' | 'uploadBytes'>

export class UploadSlots {
  readonly #concurrent: number
  readonly #shares = new Map<string, Share>()
  readonly #running = new Set<ActiveUpload>()
  #taken = 0
  #received = 0

  constructor({ concurrent }: Pick<UploadLimits, 'concurrent'>) {
    this.#concurrent = concurrent
  }

  /** Now. */
  get active(): number {
    return this.#running.size
  }

  /** Those of now, the oldest first. */
  get running(): readonly ActiveUpload[] {
    return [...this.#running]
  }

  /** Bytes of bodies, since the process started. */
  get received(): number {
    return this.#received
  }

  /** `length`: bytes that are announced, which count at once. Throws Refusal 429, or 413 for what can never be taken. */
  take(caller: Limited, length: number | undefined): Slot {
    const { name, uploadBytes = Infinity } = caller
    const uploads = caller.uploads ?? Math.max(1, Math.floor(this.#concurrent / 4))
    if (length !== undefined && length > uploadBytes)
      throw new Refusal(
        'too_large',
        `the request has ${length} bytes, of ${uploadBytes} that ${name} may send`,
      )
    if (this.active >= this.#concurrent) throw busy(`${this.active} uploads are received already`)
    const share = this.#shares.get(name) ?? { uploads: 0, bytes: 0 }
    if (share.uploads >= uploads) throw busy(`${share.uploads} uploads of ${name} are received already`)
    const full = () => busy(`${name} has ${formatMebibytes(uploadBytes)} on their way already`)
    let counted = length ?? 0
    if (share.bytes + counted > uploadBytes) throw full()
    share.uploads++
    share.bytes += counted
    this.#shares.set(name, share)
    const upload: ActiveUpload = { id: String(++this.#taken), token: name, bytes: 0, since: Date.now() }
    this.#running.add(upload)
    let isHeld = true
    return {
      grow: bytes => {
        this.#received += bytes
        upload.bytes += bytes
        if (!isHeld || upload.bytes <= counted) return
        share.bytes += upload.bytes - counted
        counted = upload.bytes
        if (share.bytes > uploadBytes) throw full()
      },
      release: () => {
        if (!isHeld) return
        isHeld = false
        share.uploads--
        share.bytes -= counted
        this.#running.delete(upload)
        if (share.uploads === 0) this.#shares.delete(name)
      },
    }
  }
}

const busy = (detail: string) => new Refusal('busy', detail, { retryAfter: RETRY_AFTER })
