/** `ctx.file()`. Most executors never read a file: neither the stores nor what they need is loaded before that. */
import type { Readable } from 'node:stream'
import type { FileRef } from '../../file-ref.ts'
import { filePlaces } from '../../job/executor-settings.ts'

export async function openFile(ref: FileRef, signal: AbortSignal): Promise<Readable> {
  const [{ sharedStores }, { openVerified }] = await Promise.all([
    import('../../store/stores.ts'),
    import('../../store/verified.ts'),
  ])
  return openVerified(sharedStores(filePlaces()), ref, signal)
}
