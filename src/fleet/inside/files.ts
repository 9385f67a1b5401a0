/** `ctx.file()`. Most executors never read a file: neither the stores nor what they need is loaded before that. */
import type { Readable } from 'node:stream'
import type { FileRef } from '../../file-ref.ts'
import { filePlaces } from '../../job/executor-settings.ts'
import type { Run } from './run.ts'

/** One that its handler has not begun to read is closed when the run is over: nobody else would close it. */
export async function openFile(ref: FileRef, run: Pick<Run, 'signal' | 'leave'>): Promise<Readable> {
  const [{ sharedStores }, { openVerified }] = await Promise.all([
    import('../../store/stores.ts'),
    import('../../store/verified.ts'),
  ])
  const stream = await openVerified(sharedStores(filePlaces()), ref, run.signal)
  run.leave(() => {
    if (!stream.readableDidRead) stream.destroy()
  })
  return stream
}
