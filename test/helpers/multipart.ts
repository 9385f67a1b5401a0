/**
 * A client of uploads that does what real ones do and what they should not: forms as bytes, sent over a bare socket in
 * pieces of any size, at any pace, and cut where a test says.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export const BOUNDARY = 'X-TEST-0a1b2c3d'

export interface FormPart {
  name?: string
  /** Makes it a file. */
  fileName?: string
  type?: string
  content?: string | Buffer
  /** Instead of all that is made of the above. */
  headers?: string[]
}

/** A whole form, as browsers and curl send it. */
export function form(parts: FormPart[], boundary = BOUNDARY): Buffer {
  return Buffer.concat([...parts.flatMap(part => encode(part, boundary)), Buffer.from(`--${boundary}--\r\n`)])
}

function encode({ name, fileName, type, content = '', headers }: FormPart, boundary: string): Buffer[] {
  const own = [
    [
      'Content-Disposition: form-data',
      ...(name === undefined ? [] : [`name="${name}"`]),
      ...(fileName === undefined ? [] : [`filename="${fileName}"`]),
    ].join('; '),
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
  ]
  const head = [`--${boundary}`, ...(headers ?? own), '', ''].join('\r\n')
  return [Buffer.from(head), Buffer.from(content), Buffer.from('\r\n')]
}

export interface Sending {
  /** Default: `/upload`. */
  path?: string
  headers?: Record<string, string>
  /** Bytes of one write. Default 64 KiB. */
  piece?: number
  /** Awaited before each write but the first: how slow the client is. */
  pace?: () => Promise<unknown>
  /** It looks for an answer only when all is sent, as clients do that write and then read. */
  readsLate?: boolean
  /** In chunks, one each write, instead of with its length. */
  chunked?: boolean
  /** What Content-Length says, if it is not the length. */
  length?: number
  /** After so many bytes of the body: `drop` resets the connection, `end` closes this side of it. */
  cut?: { at: number; how: 'drop' | 'end' }
}

export interface Answer {
  status: number
  headers: Record<string, string>
  text: string
}

/** One request on a connection of its own. What is not sent yet when the answer comes is not sent any more. */
export class Upload implements AsyncDisposable {
  /** Rejects when the connection ends before there is a whole answer. */
  readonly answer: Promise<Answer>
  readonly socket: Socket
  /** Resolves when the server has said 100: it wants the body. */
  readonly wanted: Promise<void>
  /** Bytes of the body that were handed to the kernel. */
  sent = 0
  #isAnswered = false

  private constructor(socket: Socket) {
    this.socket = socket
    this.wanted = new Promise(resolve => {
      socket.on('data', (chunk: Buffer) => {
        if (chunk.toString('latin1').startsWith('HTTP/1.1 100 ')) resolve()
      })
    })
    this.answer = readAnswer(socket).finally(() => (this.#isAnswered = true))
    this.answer.catch(() => undefined)
  }

  /** Resolves when the headers are sent. */
  static async begin(url: string, body: Buffer, sending: Sending = {}): Promise<Upload> {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    const upload = new Upload(socket)
    const { path = '/upload', headers = {}, chunked = false, length = body.length } = sending
    const all = {
      host: `${hostname}:${port}`,
      'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
      ...(chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(length) }),
      ...headers,
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
    socket.write([`POST ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'))
    return upload
  }

  /** All of the body, or until the answer is there. Resolves when it is sent, also where the other side has gone. */
  async send(
    body: Buffer,
    { piece = 65_536, pace, readsLate = false, chunked = false, cut }: Sending = {},
  ): Promise<void> {
    const most = cut?.at ?? body.length
    if (readsLate) this.socket.pause()
    while (this.sent < most && !this.#isAnswered && !this.socket.destroyed) {
      const bytes = body.subarray(this.sent, Math.min(this.sent + piece, most))
      const isSent = this.socket.write(
        chunked
          ? Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
          : bytes,
      )
      this.sent += bytes.length
      if (!isSent) await this.#drained()
      if (pace !== undefined) await pace()
    }
    if (cut?.how === 'drop') this.socket.resetAndDestroy()
    else if (cut?.how === 'end') this.socket.end()
    else if (chunked && !this.socket.destroyed) this.socket.write('0\r\n\r\n')
    if (readsLate && !this.socket.destroyed) {
      if (this.socket.writableLength > 0) await this.#drained()
      this.socket.resume()
    }
  }

  /** Until it may send more, or need not. */
  async #drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.socket.once('drain', resolve).once('close', resolve)
    await Promise.race([promise, this.answer.catch(() => undefined)])
    this.socket.off('drain', resolve).off('close', resolve)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
  }
}

/** Sends it, and waits for the answer. */
export async function upload(url: string, body: Buffer, sending: Sending = {}): Promise<Answer> {
  await using one = await Upload.begin(url, body, sending)
  await one.send(body, sending)
  return await one.answer
}

async function readAnswer(socket: Socket): Promise<Answer> {
  let bytes = Buffer.alloc(0)
  let failure: Error | undefined
  socket.on('error', error => (failure = error))
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      const answer = parseAnswer(bytes)
      if (answer !== undefined) resolve(answer)
    })
    socket.on('close', () => reject(failure ?? new Error(`closed without an answer: ${bytes.toString()}`)))
  })
}

/** Undefined: not all of it is there. 100 is no answer. */
function parseAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [first = '', ...lines] = bytes.subarray(0, end).toString().split('\r\n')
  const status = Number(first.split(' ')[1])
  const rest = bytes.subarray(end + 4)
  if (status === 100) return parseAnswer(rest)
  const headers = Object.fromEntries(
    lines.map(line => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  )
  const length = Number(headers['content-length'] ?? 0)
  return rest.length < length ? undefined : { status, headers, text: rest.subarray(0, length).toString() }
}
