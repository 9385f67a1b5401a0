/** Sends a file over HTTP, as browsers and programs do. It never holds more than a piece of it. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { content } from './content.ts'

/** Where a gateway takes uploads, on this host. */
export interface Target {
  port: number
  path: string
  headers: Readonly<Record<string, string>>
}

export interface Sending {
  to: Target
  bytes: number
  /** Of its content. */
  seed: number
}

const BOUNDARY = 'bench-3f1c9a7e'
const HEAD = Buffer.from(
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="load.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`,
)
const TAIL = Buffer.from(`\r\n--${BOUNDARY}--\r\n`)
const MULTIPART = `multipart/form-data; boundary=${BOUNDARY}`

/** Resolves with what was answered. Throws for anything but 200 and 202. */
export async function sendForm({ to, bytes, seed }: Sending): Promise<unknown> {
  const length = HEAD.length + bytes + TAIL.length
  return post(to, { 'content-type': MULTIPART, 'content-length': length }, function* () {
    yield HEAD
    yield* content(bytes, seed)
    yield TAIL
  })
}

/** `{"file":"<base64>"}`. */
export async function sendJson({ to, bytes, seed }: Sending): Promise<unknown> {
  return post(to, { 'content-type': 'application/json' }, function* () {
    yield Buffer.from('{"file":"')
    let rest: Buffer = Buffer.alloc(0)
    for (const piece of content(bytes, seed)) {
      const all = Buffer.concat([rest, piece])
      const whole = all.length - (all.length % 3)
      rest = all.subarray(whole)
      yield Buffer.from(all.toString('base64', 0, whole))
    }
    yield Buffer.from(`${rest.toString('base64')}"}`)
  })
}

/** The same form in chunks of so few bytes. Many of them are in one packet, and each still is a chunk to who reads it. */
export async function sendInChunks({ to, bytes, seed }: Sending, size: number): Promise<unknown> {
  const socket = connect(to.port, '127.0.0.1')
  const headers = {
    ...to.headers,
    host: `127.0.0.1:${to.port}`,
    connection: 'close',
    'content-type': MULTIPART,
    'transfer-encoding': 'chunked',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`POST ${to.path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  const answer = text(socket)
  function* chunks(): Generator<Buffer> {
    yield chunked(HEAD, HEAD.length)
    for (const piece of content(bytes, seed)) yield chunked(piece, size)
    yield chunked(TAIL, TAIL.length)
    yield Buffer.from('0\r\n\r\n')
  }
  for (const piece of chunks()) if (!socket.write(piece)) await once(socket, 'drain')
  const said = await answer
  if (!/^HTTP\/1.1 20[02] /.test(said)) throw new Error(said)
  return said
}

function chunked(piece: Buffer, size: number): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < piece.length; at += size) {
    const chunk = piece.subarray(at, at + size)
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}

async function post(
  to: Target,
  headers: Record<string, string | number>,
  body: () => Generator<Buffer>,
): Promise<unknown> {
  const asked = request({
    port: to.port,
    path: to.path,
    host: '127.0.0.1',
    method: 'POST',
    headers: { ...to.headers, ...headers },
    agent: false,
  })
  const answered = once(asked, 'response') as Promise<[IncomingMessage]>
  // Of both, the answer says more.
  const sent = pipeline(Readable.from(body()), asked).catch((error: unknown) => error)
  const [response] = await answered
  const said = await text(response)
  if (![200, 202].includes(response.statusCode ?? 0)) throw new Error(`${response.statusCode}: ${said}`)
  await sent
  return JSON.parse(said)
}
