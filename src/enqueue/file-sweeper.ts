/**
 * Removes files that no job needs any more: when all jobs that refer to a file are gone from Redis, by their retention or
 * by hand, it goes; a file that nobody has ever referred to goes when it is `orphanAge` old, and so does an upload that was
 * never finished.
 *
 * A file of a job is never removed, whatever state that is in. A use is written down before its job is added, and counts
 * for ten minutes also without that; when another one was written while we looked, the file stays. A migration keeps its
 * arguments in its ledger and not in a job, so whoever calls this says which files runs still need.
 */
import type { Client } from '../redis/client.ts'
import { serverTime } from '../redis/clock.ts'
import { FileIndex, type KnownUse } from '../redis/file-index.ts'
import type { Stores } from '../store/stores.ts'

/** Milliseconds in which the job of a use is being added. */
const ADDING = 10 * 60_000
/** Files whose uses are asked for at once. */
const PAGE = 200

export interface SweepOptions {
  client: Client
  prefix: string
  stores: Stores
  /** Milliseconds. */
  orphanAge: number
  /** Of those places, the ones that a run of a migration needs. Rejects: nothing is removed that it was asked of. */
  neededByRuns: (places: readonly string[]) => Promise<ReadonlySet<string>>
  /** Only says what would be removed. Default false. */
  dryRun?: boolean
  /** Told of each file that is removed. */
  onRemoved?: (removed: Removed) => void
  /** A file that could not be removed: it is tried again with the next sweep. */
  onError: (place: string, error: unknown) => void
  signal?: AbortSignal
}

export interface Removed {
  place: string
  /** `jobs gone`: it had some. `orphan`: it never had one. */
  why: 'jobs gone' | 'orphan'
}

export interface Swept {
  removed: number
  /** Uploads that were begun long ago and never finished. */
  unfinished: number
}

export async function sweepFiles(options: SweepOptions): Promise<Swept> {
  const { client, prefix, stores, orphanAge, dryRun = false } = options
  const sweeper = new FileSweeper(new FileIndex(client, prefix), options, await serverTime(client))
  await sweeper.sweepUsed()
  await sweeper.sweepOrphans()
  const unfinished = dryRun ? 0 : await stores.uploads.store.sweep(Date.now() - orphanAge)
  return { removed: sweeper.removed, unfinished }
}

class FileSweeper {
  removed = 0
  readonly #index: FileIndex
  readonly #options: SweepOptions
  /** By the server's clock. */
  readonly #now: number

  constructor(index: FileIndex, options: SweepOptions, now: number) {
    this.#index = index
    this.#options = options
    this.#now = now
  }

  async sweepUsed(): Promise<void> {
    let unused: KnownUse[][] = []
    for await (const uses of this.#index.all()) {
      this.#options.signal?.throwIfAborted()
      const old = uses.filter(({ at }) => at <= this.#now - ADDING)
      const alive = new Set(await this.#index.alive(old))
      const gone = old.filter(use => !alive.has(use))
      if (gone.length === 0) continue
      if (gone.length === uses.length) unused.push(gone)
      else if (this.#options.dryRun !== true) await this.#index.drop(gone)
      if (unused.length < PAGE) continue
      await this.#removeUsed(unused)
      unused = []
    }
    await this.#removeUsed(unused)
  }

  /** Only those of the store that uploads go to: another one may be somebody else's too. */
  async sweepOrphans(): Promise<void> {
    const { stores, orphanAge } = this.#options
    const { name, store } = stores.uploads
    let page: string[] = []
    for await (const { key, storedAt } of store.list()) {
      if (storedAt < Date.now() - orphanAge) page.push(`${name}/${key}`)
      if (page.length < PAGE) continue
      await this.#removeOrphans(page)
      page = []
    }
    await this.#removeOrphans(page)
  }

  async #removeUsed(files: readonly KnownUse[][]): Promise<void> {
    if (files.length === 0) return
    const needed = await this.#options.neededByRuns(files.map(([use]) => use!.place))
    for (const gone of files) {
      const { place } = gone[0]!
      if (needed.has(place)) continue
      // First out of the index: one that cannot be removed then is an orphan.
      if (this.#options.dryRun === true || (await this.#index.forget(place, gone)))
        await this.#remove({ place, why: 'jobs gone' })
    }
  }

  async #removeOrphans(places: readonly string[]): Promise<void> {
    this.#options.signal?.throwIfAborted()
    if (places.length === 0) return
    const uses = await Promise.all(places.map(place => this.#index.of(place)))
    const unused = places.filter((_, i) => uses[i]!.length === 0)
    if (unused.length === 0) return
    const needed = await this.#options.neededByRuns(unused)
    for (const place of unused) if (!needed.has(place)) await this.#remove({ place, why: 'orphan' })
  }

  async #remove(removed: Removed): Promise<void> {
    const { stores, dryRun, onRemoved, onError } = this.#options
    try {
      if (dryRun !== true) {
        const { store, key } = stores.of(removed.place)
        await store.remove(key)
      }
    } catch (error) {
      onError(removed.place, error)
      return
    }
    this.removed++
    onRemoved?.(removed)
  }
}
