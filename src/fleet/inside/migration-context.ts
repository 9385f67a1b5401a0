/** `ctx` of a part of a migration: that of any job, and what its replica counts. */
import type { PartContext, PartProgress } from '../../job/part.ts'
import { Context } from './context.ts'
import type { Run } from './run.ts'
import type { Voice } from './voice.ts'

export class MigrationContext extends Context implements PartContext {
  readonly #run: Run
  readonly #voice: Voice

  constructor(run: Run, args: unknown, voice: Voice) {
    super(run, args, voice)
    this.#run = run
    this.#voice = voice
  }

  progressed(progress: PartProgress): void {
    this.#voice.migrated(this.#run, progress)
  }
}
