/** A JSON body, read no further than a payload may be long and no longer than a client needs. */
import type { Context } from 'hono'
import { MAX_PAYLOAD } from '../../job/args.ts'
import { jsonFault } from '../../job/problem.ts'
import { hasBody } from '../body-clock.ts'
import { declaredLength, nodeOf } from '../node-request.ts'
import { Problem } from '../problem.ts'

/** Milliseconds from the head of the request to the last byte. */
const BODY_MS = 10_000

/** By its headers. Throws Problem 415, 413. */
export function requireJson(c: Context): void {
  requirePlain(c)
  const type = mediaType(c)
  if (!(isEmpty(c) && type === undefined) && declaredLength(c) !== 0 && type !== 'application/json')
    throw new Problem(415, 'CONTENT_TYPE', `a body is application/json, got ${type ?? 'no Content-Type'}`, {
      hint: 'multipart/form-data is for jobs that take files',
      headers: { 'accept-post': 'application/json, multipart/form-data' },
    })
  const length = declaredLength(c)
  if (length !== undefined && length > MAX_PAYLOAD) throw tooLarge()
}

/** A POST without a length has no body for Node, and a stream of one for Hono: `curl -X POST` sends such. */
function isEmpty(c: Context): boolean {
  const { incoming } = nodeOf(c)
  return incoming === undefined ? c.req.raw.body === null : !hasBody(incoming)
}

/** 'application/json' of 'Application/JSON; charset=utf-8'. */
export function mediaType(c: Context): string | undefined {
  return c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
}

/** What is compressed may be any size: nobody unpacks it here. Throws Problem 415. */
function requirePlain(c: Context): void {
  const encoding = c.req.header('content-encoding')
  if (encoding !== undefined && encoding !== 'identity')
    throw new Problem(415, 'CONTENT_ENCODING', `a body is sent as it is, not ${encoding}`)
}

/** `{}` for no body. Throws Problem 400, 408, 413. */
export async function readJson(c: Context, redact: readonly string[], ms = BODY_MS): Promise<unknown> {
  const text = await readText(c, ms)
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Problem(400, 'JSON_INVALID', `the body is not JSON: ${jsonFault(text, error, redact)}`)
  }
}

async function readText(c: Context, ms: number): Promise<string> {
  if (declaredLength(c) === 0 || c.req.raw.body === null) return ''
  const reader = c.req.raw.body.getReader()
  const chunks: Uint8Array[] = []
  let bytes = 0
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(tooSlow(ms)), ms)
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late.promise])
      if (done) break
      bytes += value.length
      if (bytes > MAX_PAYLOAD) throw tooLarge()
      chunks.push(value)
    }
  } catch (error) {
    throw error instanceof Problem ? error : cutOff(error)
  } finally {
    clearTimeout(timer)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new Problem(400, 'JSON_INVALID', 'the body is not UTF-8')
  }
}

const tooLarge = () =>
  new Problem(413, 'BODY_TOO_LARGE', `a payload has at most ${MAX_PAYLOAD} bytes of JSON`, {
    hint: 'send what is large as a file, by multipart/form-data: the payload then holds its place',
    close: true,
  })

const tooSlow = (ms: number) =>
  new Problem(408, 'BODY_TIMEOUT', `the body has not come within ${ms} ms`, { close: true })

const cutOff = (cause: unknown) =>
  new Problem(400, 'BODY_CUT', 'the body ended before its end', { cause, close: true })
