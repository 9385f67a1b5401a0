/** The supervisor's end of the pipe to the watch thread of a child process (inside/process-watch.ts). */
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'
import type { Sighting } from './sight.ts'

export class ProcessWatch {
  /** Raised by every beat that arrived. */
  beats = 0
  readonly #pipe: Duplex
  #asked: PromiseWithResolvers<Sighting> | undefined

  constructor(pipe: Duplex) {
    this.#pipe = pipe
    // A child that dies breaks it; its exit is told otherwise.
    pipe.on('error', () => undefined)
    pipe.on('close', () => this.#asked?.reject(new Error('the process has ended')))
    const lines = createInterface({ input: pipe })
    // It repeats the errors of its input, and unheard they would end the supervisor.
    lines.on('error', () => undefined)
    lines.on('line', line => {
      if (line === 'beat') this.beats++
      else {
        this.#asked?.resolve(JSON.parse(line) as Sighting)
        this.#asked = undefined
      }
    })
  }

  /** Asked again before it has answered, it answers both at once. */
  sight(): Promise<Sighting> {
    if (this.#asked === undefined) {
      this.#asked = Promise.withResolvers()
      this.#pipe.write('look\n')
    }
    return this.#asked.promise
  }
}
