/** A store in memory that fails and dawdles as a test says, and counts what was begun and never ended. */
import { Readable, Writable } from 'node:stream'
import { RunnerError } from '../../src/errors.ts'
import { tell } from '../../src/store/callback.ts'
import type { Store, StoredFile, StoreWriter } from '../../src/store/store.ts'

export interface StoreFaults {
  /** Awaited before each write is taken. */
  hold?: () => Promise<unknown>
  /** STORE_FAILED once a file has so many bytes. */
  failAt?: number
}

export class MemoryStore implements Store {
  readonly where = 'memory:'
  readonly files = new Map<string, Buffer>()
  /** Writers that neither finished nor took back what they began. */
  open = 0
  /** Bytes of each write that was taken. */
  readonly writes: number[] = []
  faults: StoreFaults = {}

  write(key: string): StoreWriter {
    const { promise, resolve } = Promise.withResolvers<void>()
    const chunks: Buffer[] = []
    let bytes = 0
    this.open++
    const writer = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        const take = async () => {
          await this.faults.hold?.()
          chunks.push(chunk)
          this.writes.push(chunk.length)
          bytes += chunk.length
          if (bytes > (this.faults.failAt ?? Infinity))
            throw new RunnerError('STORE_FAILED', 'the disk is full')
        }
        void tell(done, take())
      },
      final: done => {
        this.files.set(key, Buffer.concat(chunks))
        done()
      },
      destroy: (error, done) => {
        this.open--
        done(error)
        resolve()
      },
    })
    return Object.assign(writer, { settled: promise })
  }

  async read(key: string): Promise<Readable> {
    const bytes = this.files.get(key)
    if (bytes === undefined) throw new RunnerError('FILE_MISSING', `there is no file ${key}`)
    return Readable.from([bytes])
  }

  async remove(key: string): Promise<void> {
    this.files.delete(key)
  }

  async *list(): AsyncIterable<StoredFile> {
    for (const [key, { length }] of this.files) yield { key, bytes: length, storedAt: 0 }
  }

  async sweep(): Promise<number> {
    return 0
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
