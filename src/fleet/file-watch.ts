/** Tells when a file of the given folders changed, for `--watch`. */
import { watch, type FSWatcher } from 'node:fs'

/** Editors write a file in several steps; this much quiet ends a change, in milliseconds. */
const SETTLED = 150

export class FileWatch {
  readonly #watchers: FSWatcher[]
  #timer: NodeJS.Timeout | undefined

  constructor(folders: string[], onChange: () => void) {
    this.#watchers = folders.map(folder =>
      watch(folder, { recursive: true }, () => {
        clearTimeout(this.#timer)
        this.#timer = setTimeout(onChange, SETTLED)
      }),
    )
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers) watcher.close()
  }
}
