/**
 * One upload, from its headers until all its files are in the store. It resolves when the form was read to its end, every
 * file is stored and hashed, and all of it is what the job takes; otherwise nothing of it is left in the store by the time
 * it rejects. What is enqueued from it is enqueued afterwards.
 *
 * Files are stored one after the other, as they come: a form is one stream, and the next file begins where this one ends.
 */
import { RunnerError, messageOf } from '../../errors.ts'
import type { FileRef } from '../../file-ref.ts'
import type { Events } from '../../observe/events.ts'
import { takeIn, type NamedStore } from '../../store/intake.ts'
import { formatMilliseconds } from '../../units.ts'
import { unhurried } from '../body-clock.ts'
import type { Caller } from '../caller.ts'
import { FormContent, type FileFields } from './form-content.ts'
import { readForm, type Form } from './form-type.ts'
import { longestUpload, type UploadLimits } from './limits.ts'
import { MultipartReader } from './multipart-reader.ts'
import { Refusal } from './refusal.ts'
import { RequestBody, type Incoming } from './request-body.ts'
import type { UploadSlots } from './slots.ts'

export interface Reception {
  target: NamedStore
  limits: UploadLimits
  /** Of this process: one object for all requests. */
  slots: UploadSlots
  /** Files that the job takes, by the name of their field. */
  fields: FileFields
  caller: Pick<Caller, 'name' | 'uploads' | 'uploadBytes'>
  /** Aborted: the process stops, and has waited long enough. */
  signal: AbortSignal
  events: Events
}

export interface Received {
  /** Text, or what the JSON of a part said that declares to be such. */
  fields: Record<string, unknown>
  files: Record<string, FileRef | FileRef[]>
  /** Removes all files again, for when no job comes of them. Never rejects. */
  discard: () => Promise<void>
}

/** Seconds. */
const OUTAGE_RETRY = 5

/** Throws Refusal, a Problem. Nothing is read, and no 100 is sent, before headers and places at once have been judged. */
export async function receiveUpload(request: Incoming, reception: Reception): Promise<Received> {
  const { limits, slots, caller, events } = reception
  const began = performance.now()
  const token = caller.name
  let bytes = 0
  try {
    const form = readForm(request.headers, limits.maxTotal)
    const slot = slots.take(caller, form.length)
    try {
      events.emit('upload.started', { token, ...(form.length !== undefined && { bytes: form.length }) })
      unhurried(request)
      const body = new RequestBody(request, limits, came => {
        bytes += came
        slot.grow(came)
      })
      const content = await readContent(body, form, reception)
      events.emit('upload.stored', { token, files: content.count, bytes, ms: performance.now() - began })
      return received(content, reception)
    } finally {
      slot.release()
    }
  } catch (error) {
    const refusal = asRefusal(error)
    const { reason, status } = refusal
    // The log hears what has failed; the client, that something has.
    const detail = messageOf(error)
    if (refusal.isAbort) events.emit('upload.aborted', { token, reason, detail, bytes })
    else events.emit('upload.refused', { token, reason, status, detail, bytes })
    throw refusal
  }
}

async function readContent(body: RequestBody, form: Form, reception: Reception): Promise<FormContent> {
  const { target, limits, fields, signal } = reception
  const content = new FormContent(target.store, fields)
  /** Of what is being stored: when the request fails, it waits for no store. */
  const ending = new AbortController()
  const end = (reason: Refusal) => {
    ending.abort(reason)
    body.destroy(reason)
  }
  const stop = () => end(new Refusal('stopping', 'this gateway stops', { retryAfter: OUTAGE_RETRY }))
  const longest = longestUpload(limits)
  const clock = setTimeout(() => {
    const hint = 'half of uploads.orphanAge: its first file would be swept before its job is there'
    end(new Refusal('slow', `the upload takes longer than ${formatMilliseconds(longest)}`, { hint }))
  }, longest).unref()
  body.once('error', error => ending.abort(error))
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  const reader = new MultipartReader(body, form.boundary, limits)
  try {
    for await (const part of reader) {
      if (part.kind === 'field') content.addText(part)
      else
        await content.addFile(part, ({ body, fileName, type }, { types, maxBytes = Infinity }) =>
          takeIn(target, body, {
            fileName,
            declared: type,
            types,
            maxBytes: Math.min(maxBytes, limits.maxFile),
            signal: ending.signal,
          }),
        )
    }
    content.requireComplete(form.sha256)
    return content
  } catch (error) {
    await content.remove()
    // What the store met is the consequence.
    throw reader.failure ?? error
  } finally {
    clearTimeout(clock)
    signal.removeEventListener('abort', stop)
  }
}

function received(content: FormContent, { caller, events }: Reception): Received {
  return {
    fields: content.texts,
    files: content.files,
    discard: async () => {
      await content.remove()
      events.emit('upload.discarded', { token: caller.name, files: content.count })
    },
  }
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof RunnerError) {
    const { code, message, hint, details } = error
    if (code === 'STORE_FAILED')
      return new Refusal('store', 'the store of files does not take it', {
        cause: error,
        retryAfter: OUTAGE_RETRY,
      })
    if (code === 'FILE_REFUSED') {
      const isSize = (details as { reason?: string } | undefined)?.reason === 'size'
      return new Refusal(isSize ? 'too_large' : 'file_type', message, { hint, cause: error })
    }
  }
  return new Refusal('internal', 'this is a fault of the server: its log says more', { cause: error })
}
