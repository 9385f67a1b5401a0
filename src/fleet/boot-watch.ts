/**
 * Which job file an executor that boots is importing. What ends the executor meanwhile, or keeps it past the
 * deadline, is the fault of that file. The executor cannot say so itself: its loop may be blocked, or its process gone.
 */
import { pathToFileURL } from 'node:url'
import { shortPath } from '../job/file-path.ts'
import { IMPORT_TIMEOUT, watchImport } from '../job/import-deadline.ts'
import type { BrokenFile, JobFile } from '../job/manifest.ts'
import type { ExecutorExit, ExecutorInit } from './port.ts'

export class BootWatch {
  readonly #init: ExecutorInit
  readonly #onBlocked: () => void
  #loading: JobFile | undefined
  #timer: NodeJS.Timeout | undefined
  #fault: string | undefined

  /** `onBlocked` has to end the executor. */
  constructor(init: ExecutorInit, onBlocked: () => void) {
    this.#init = init
    this.#onBlocked = onBlocked
  }

  /** It is about to import this file, and so done with the one before; or to start the application that it has imported. */
  loading(file: JobFile): void {
    clearTimeout(this.#timer)
    this.#loading = file
    this.#timer = watchImport(file, this.#init.importTimeout ?? IMPORT_TIMEOUT, fault => {
      this.#fault = fault
      this.#onBlocked()
    })
  }

  /** It is ready, or is ended on purpose: from here on no file is to blame. */
  over(): void {
    clearTimeout(this.#timer)
    if (this.#fault === undefined) this.#loading = undefined
  }

  /** The file that this exit is the fault of. */
  blame(exit: ExecutorExit): BrokenFile | undefined {
    clearTimeout(this.#timer)
    // No file does that to its own process: the kernel or a person did.
    const killed = this.#fault === undefined && exit.signal === 'SIGKILL'
    if (this.#loading === undefined || killed) return undefined
    const { file, name } = this.#named(this.#loading, exit.words?.stack)
    const why = this.#fault ?? exit.words?.message ?? exit.message
    return { file, name, code: 'JOB_IMPORT_FAILED', message: `${shortPath(file)}: ${why}` }
  }

  /** What an earlier file left behind (a timer, a promise) may end the executor later: the stack then names that file. */
  #named(loading: JobFile, stack = ''): JobFile {
    const names = ({ file }: JobFile) =>
      stack.includes(`${file}:`) || stack.includes(`${pathToFileURL(file).href}:`)
    return names(loading) ? loading : (this.#init.files.find(names) ?? loading)
  }
}
