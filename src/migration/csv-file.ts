/** Where the bytes of a CSV are: a path that every replica sees, or a stored file that a payload refers to. */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { RunnerError } from '../errors.ts'
import type { FileRef } from '../file-ref.ts'
import { filePlaces } from '../job/executor-settings.ts'

/** Both included; `end` undefined: to the end. */
interface Span {
  start: number
  end?: number
}

export interface CsvFile {
  size(): Promise<number>
  read(span: Span): Promise<Readable>
  /** Of what is known by its hash: takes all bytes, in order, and throws at the end FILE_CHANGED. */
  check?(): { take: (chunk: Buffer) => void; end: () => void }
}

export const csvFile = (file: string | FileRef): CsvFile =>
  typeof file === 'string' ? new LocalFile(file) : new StoredFile(file)

class LocalFile implements CsvFile {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  async size(): Promise<number> {
    return (await stat(this.#path)).size
  }

  async read(span: Span): Promise<Readable> {
    return createReadStream(this.#path, span)
  }
}

class StoredFile implements CsvFile {
  readonly #ref: FileRef

  constructor(ref: FileRef) {
    this.#ref = ref
  }

  async size(): Promise<number> {
    return this.#ref.bytes
  }

  async read(span: Span): Promise<Readable> {
    const { sharedStores } = await import('../store/stores.ts')
    const { store, key } = sharedStores(filePlaces()).of(this.#ref)
    return store.read(key, span)
  }

  check() {
    const hash: Hash = createHash('sha256')
    return {
      take: (chunk: Buffer) => void hash.update(chunk),
      end: () => {
        const { $file, name, sha256 } = this.#ref
        if (hash.digest('hex') !== sha256)
          throw new RunnerError(
            'FILE_CHANGED',
            `${$file} (${name}) is not what was stored: its hash is another`,
          )
      },
    }
  }
}
