/** Where the bytes of uploads are. Everything above sees this, and neither a path nor a bucket. */
import type { Readable, Writable } from 'node:stream'

/**
 * Takes bytes with back pressure. `finish` is emitted when all of them are stored for good, and only then is there a file.
 * Destroyed before that, it leaves nothing, not even parts.
 */
export interface StoreWriter extends Writable {
  /** Resolves when nothing of it goes on any more: after `finish`, or after what was begun has been taken back. Never rejects. */
  readonly settled: Promise<void>
}

export interface StoredFile {
  key: string
  bytes: number
  /** Milliseconds since the epoch. */
  storedAt: number
}

export interface ReadOptions {
  /** First byte, counted from 0, and the last one, which is read too. Default: all. */
  start?: number
  end?: number
  /** Ends the stream with its reason. */
  signal?: AbortSignal
}

export interface Store extends AsyncDisposable {
  /** For people, without credentials: `dir:/data/uploads`, `s3://bucket/prefix`. */
  readonly where: string
  /**
   * `key` as file-ref.ts makes them: a new one each time. That nothing is written over is looked at besides, where the store
   * can: there are servers of S3 that ignore the condition when a file of many parts is completed.
   *
   * `type`: media type, kept where the store can.
   */
  write(key: string, about: { type: string }): StoreWriter
  /** Throws FILE_MISSING. The bytes as they are: who reads them compares the hash. */
  read(key: string, options?: ReadOptions): Promise<Readable>
  /** What is not there counts as removed. */
  remove(key: string): Promise<void>
  /** All files, in no order, by the page. */
  list(): AsyncIterable<StoredFile>
  /** Takes back what was begun before `before` (milliseconds since the epoch) and never finished: parts, temporary files. Resolves with how many. */
  sweep(before: number): Promise<number>
}
