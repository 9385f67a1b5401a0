/** Writes one file of a folder. */
import { constants } from 'node:fs'
import { link, mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { RunnerError, messageOf } from '../errors.ts'
import { tell, type Done } from './callback.ts'
import type { StoreWriter } from './store.ts'

/** Of a file that is not all there yet. */
export const PART = /^\.[0-9a-f-]{36}\.part$/

/** Bytes that may wait for the disk: they are written in one go. */
const WAITING = 256 * 1024

/** What a kernel says, and what there is to do about it. */
const HINTS: Record<string, string> = {
  ENOSPC: 'its disk is full',
  EDQUOT: 'the quota of its disk is used up',
  EROFS: 'its file system is read-only',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there, or its file system knows no hard links',
  ENOTSUP: 'its file system knows no hard links; take another, or a bucket',
}

export class DirectoryWriter extends Writable implements StoreWriter {
  readonly settled: Promise<void>
  readonly #locate: () => Promise<string>
  readonly #settle: () => void
  #path = ''
  #handle: FileHandle | undefined
  #isLinked = false

  /** `locate`: its path; the folder is made. */
  constructor(locate: () => Promise<string>) {
    super({ highWaterMark: WAITING })
    this.#locate = locate
    const { promise, resolve } = Promise.withResolvers<void>()
    this.settled = promise
    this.#settle = resolve
    this.once('finish', resolve)
  }

  override _construct(done: Done): void {
    this.#do(done, async () => {
      this.#path = await this.#locate()
      this.#handle = await open(this.#part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
    })
  }

  override _write(chunk: Buffer, _encoding: unknown, done: Done): void {
    this.#do(done, () => this.#writeAll(chunk))
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this.#do(done, () => this.#writeAll(Buffer.concat(chunks.map(({ chunk }) => chunk))))
  }

  override _final(done: Done): void {
    this.#do(done, async () => {
      await this.#handle!.sync()
      await this.#handle!.close()
      this.#handle = undefined
      await link(this.#part, this.#path)
      this.#isLinked = true
      await rm(this.#part)
      await syncFolder(dirname(this.#path))
    })
  }

  /** Called when it is finished, too. */
  override _destroy(error: Error | null, done: Done): void {
    void this.#end(error, done)
  }

  get #part(): string {
    return join(dirname(this.#path), `.${basename(this.#path)}.part`)
  }

  async #end(error: Error | null, done: Done): Promise<void> {
    await this.#clear()
    this.#settle()
    done(error)
  }

  async #clear(): Promise<void> {
    if (this.writableFinished || this.#path === '') return
    await this.#handle?.close().catch(() => undefined)
    // What cannot be removed now, the sweep removes later.
    await rm(this.#part, { force: true }).catch(() => undefined)
    if (this.#isLinked) await rm(this.#path, { force: true }).catch(() => undefined)
  }

  async #writeAll(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length;) at += (await this.#handle!.write(chunk, at)).bytesWritten
  }

  #do(done: Done, act: () => Promise<unknown>): void {
    void tell(done, act(), error => this.#failed(error))
  }

  #failed(error: unknown): RunnerError {
    if (error instanceof RunnerError) return error
    const hint = HINTS[(error as NodeJS.ErrnoException).code ?? '']
    const message = `cannot write to ${this.#path === '' ? 'the store' : dirname(this.#path)}: ${messageOf(error)}`
    return new RunnerError('STORE_FAILED', message, { cause: error, ...(hint === undefined ? {} : { hint }) })
  }
}

/** For this user alone. The entries of new ones are synced: a file is as lost as the folder that it is in. */
export async function makeFolders(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let at = folder; at.length >= first.length; at = dirname(at)) await syncFolder(dirname(at))
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
