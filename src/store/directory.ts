/**
 * A folder of files: `<folder>/<year>/<month>/<day>/<uuid>`. A file appears under its name when all of it is on the disk:
 * it is written beside it, synced, and linked, which never writes over another; then the folder is synced. Names are of our
 * own making, and no link within the folder is followed.
 */
import { constants } from 'node:fs'
import { lstat, open, opendir, realpath, rm, rmdir, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { RunnerError, messageOf } from '../errors.ts'
import { DirectoryWriter, PART, makeFolders } from './directory-writer.ts'
import type { ReadOptions, Store, StoreWriter, StoredFile } from './store.ts'

const DATE = [/^\d{4}$/, /^\d{2}$/, /^\d{2}$/]
const NAME = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export class DirectoryStore implements Store {
  readonly where: string
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = resolve(folder)
    this.where = `dir:${this.#folder}`
  }

  write(key: string): StoreWriter {
    return new DirectoryWriter(() => this.#pathOf(key, true))
  }

  async read(key: string, { start, end, signal }: ReadOptions = {}): Promise<Readable> {
    const handle = await this.#open(key)
    return handle.createReadStream({
      ...(start !== undefined && { start }),
      ...(end !== undefined && { end }),
      ...(signal !== undefined && { signal }),
    })
  }

  async remove(key: string): Promise<void> {
    try {
      await rm(await this.#pathOf(key), { force: true })
    } catch (error) {
      if (!isGone(error)) throw failed(`remove ${key}`, error)
    }
  }

  async *list(): AsyncIterable<StoredFile> {
    for await (const day of this.#days()) {
      for (const name of await entries(join(this.#folder, day))) {
        if (!NAME.test(name)) continue
        const file = await lstat(join(this.#folder, day, name)).catch(() => undefined)
        if (file?.isFile() === true) yield { key: `${day}/${name}`, bytes: file.size, storedAt: file.mtimeMs }
      }
    }
  }

  async sweep(before: number): Promise<number> {
    let swept = 0
    for await (const day of this.#days()) {
      const folder = join(this.#folder, day)
      for (const name of await entries(folder)) {
        if (!PART.test(name)) continue
        // That of a writer which is at work was written to a moment ago.
        const file = await lstat(join(folder, name)).catch(() => undefined)
        if (file === undefined || file.mtimeMs >= before) continue
        await rm(join(folder, name), { force: true })
        swept++
      }
      // Nobody writes into the folder of a day that is over. One that is not empty stays.
      if (isOver(day)) await rmdir(folder).catch(() => undefined)
    }
    return swept
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is kept open.
  }

  async #open(key: string): Promise<FileHandle> {
    try {
      const handle = await open(await this.#pathOf(key), constants.O_RDONLY | constants.O_NOFOLLOW)
      if ((await handle.stat()).isFile()) return handle
      await handle.close()
      throw new Error('it is not a file')
    } catch (error) {
      if (isGone(error)) throw new RunnerError('FILE_MISSING', `there is no file ${key} in ${this.where}`)
      throw failed(`read ${key}`, error)
    }
  }

  /** Of a folder that is no link, nor within one. With `make`, it is there. */
  async #pathOf(key: string, make = false): Promise<string> {
    const folder = join(this.#folder, dirname(key))
    if (make) await makeFolders(folder)
    const [root, real] = await Promise.all([realpath(this.#folder), realpath(folder)])
    if (real !== join(root, dirname(key)))
      throw new RunnerError('STORE_FAILED', `${folder} is a link, or within one`, {
        hint: 'a store follows no link inside of its folder; make the folder itself the link',
      })
    return join(real, basename(key))
  }

  /** '2026/11/26'. */
  async *#days(at = '', depth = 0): AsyncIterable<string> {
    if (depth === DATE.length) {
      yield at
      return
    }
    for (const name of await entries(join(this.#folder, at), true)) {
      if (DATE[depth]!.test(name)) yield* this.#days(at === '' ? name : `${at}/${name}`, depth + 1)
    }
  }
}

/** Names in a folder, those of folders or of all else. Empty for one that is not there. */
async function entries(path: string, folders = false): Promise<string[]> {
  const names: string[] = []
  try {
    for await (const entry of await opendir(path)) if (entry.isDirectory() === folders) names.push(entry.name)
  } catch (error) {
    if (!isGone(error)) throw failed(`list ${path}`, error)
  }
  return names
}

/** For half a day: what was begun before midnight has its folder, and no clock is that far behind. */
const isOver = (day: string): boolean => Date.parse(day.replaceAll('/', '-')) + 36 * 3_600_000 < Date.now()

const isGone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

function failed(what: string, error: unknown): RunnerError {
  if (error instanceof RunnerError) return error
  return new RunnerError('STORE_FAILED', `cannot ${what}: ${messageOf(error)}`, { cause: error })
}
