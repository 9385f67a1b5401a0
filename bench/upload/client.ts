/** Sends a file over HTTP, as browsers and programs do. It never holds more than a piece of it. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { content } from './content.ts'

export interface Sending {
  port: number
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

/** Resolves with what was answered. Throws for anything but 200. */
export async function sendForm({ port, bytes, seed }: Sending): Promise<unknown> {
  const length = HEAD.length + bytes + TAIL.length
  return post(port, { 'content-type': MULTIPART, 'content-length': length }, function* () {
    yield HEAD
    yield* content(bytes, seed)
    yield TAIL
  })
}

/** `{"file":"<base64>"}`. */
export async function sendJson({ port, bytes, seed }: Sending): Promise<unknown> {
  return post(port, { 'content-type': 'application/json' }, function* () {
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
export async function sendInChunks({ port, bytes, seed }: Sending, size: number): Promise<unknown> {
  const socket = connect(port, '127.0.0.1')
  socket.write(
    `POST / HTTP/1.1\r\nhost: bench\r\nconnection: close\r\ncontent-type: ${MULTIPART}\r\ntransfer-encoding: chunked\r\n\r\n`,
  )
  const answer = text(socket)
  function* chunks(): Generator<Buffer> {
    yield chunked(HEAD, HEAD.length)
    for (const piece of content(bytes, seed)) yield chunked(piece, size)
    yield chunked(TAIL, TAIL.length)
    yield Buffer.from('0\r\n\r\n')
  }
  for (const piece of chunks()) if (!socket.write(piece)) await once(socket, 'drain')
  const said = await answer
  if (!said.startsWith('HTTP/1.1 200')) throw new Error(said)
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
  port: number,
  headers: Record<string, string | number>,
  body: () => Generator<Buffer>,
): Promise<unknown> {
  const asked = request({ port, host: '127.0.0.1', method: 'POST', headers, agent: false })
  const answered = once(asked, 'response') as Promise<[IncomingMessage]>
  // Of both, the answer says more.
  const sent = pipeline(Readable.from(body()), asked).catch((error: unknown) => error)
  const [response] = await answered
  const said = await text(response)
  if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${said}`)
  await sent
  return JSON.parse(said)
}
