/** Reads a file back: the end of the stream comes only when all bytes are those that were stored. */
import { createHash } from 'node:crypto'
import { Transform, pipeline, type Readable } from 'node:stream'
import { RunnerError, messageOf } from '../errors.ts'
import type { FileRef } from '../file-ref.ts'
import type { Stores } from './stores.ts'

/**
 * Rejects with FILE_MISSING. The stream is destroyed with FILE_CHANGED instead of ending when hash or length are not
 * those of `ref`, as soon as that is known; with STORE_FAILED when the store breaks off; with the signal's reason.
 */
export async function openVerified(stores: Stores, ref: FileRef, signal: AbortSignal): Promise<Readable> {
  signal.throwIfAborted()
  const { store, key } = stores.of(ref)
  const source = await store.read(key, { signal })
  const hash = createHash('sha256')
  let bytes = 0
  const changed = (what: string) =>
    new RunnerError('FILE_CHANGED', `${ref.$file} (${ref.name}) is not what was stored: ${what}`)
  const checked = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > ref.bytes) return done(changed(`it has more than ${ref.bytes} bytes`))
      hash.update(chunk)
      done(null, chunk)
    },
    flush(done) {
      if (bytes !== ref.bytes) return done(changed(`it has ${bytes} bytes and had ${ref.bytes}`))
      done(hash.digest('hex') === ref.sha256 ? null : changed('its hash is another'))
    },
    destroy(error, done) {
      done(error === null || error instanceof RunnerError || signal.aborted ? error : broken(ref, error))
    },
  })
  const abort = () => checked.destroy(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  // What a handler leaves unread is closed with it: the stream of the store, and the listener.
  pipeline(source, checked, () => signal.removeEventListener('abort', abort))
  if (signal.aborted) abort()
  return checked
}

function broken({ $file }: FileRef, error: Error): RunnerError {
  return new RunnerError('STORE_FAILED', `reading ${$file} broke off: ${messageOf(error)}`, { cause: error })
}
