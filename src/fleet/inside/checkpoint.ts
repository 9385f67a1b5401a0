/** `ctx.checkpoint`. The supervisor holds it in the job's hash in Redis, and refuses writes of a superseded run. */
import type { Checkpoint } from '../../job/context.ts'
import { keptJson } from './kept-json.ts'
import type { Run } from './run.ts'
import type { Voice } from './voice.ts'

export function openCheckpoint(run: Run, voice: Voice): Checkpoint {
  return {
    get: async <Value>() => (await voice.call(run, 'checkpoint.get', [])) as Value | null,
    set: async value => {
      await voice.call(run, 'checkpoint.set', [keptJson(`${run.name}: the checkpoint`, value)])
    },
  }
}
