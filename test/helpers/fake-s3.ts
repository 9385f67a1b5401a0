/**
 * A bucket in memory that speaks as much of S3 as the store uses, and fails as it is told. Signatures are not looked at:
 * only a real server does that.
 */
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

interface Stored {
  /** Absent with `forget`. */
  body: Buffer | undefined
  bytes: number
  type: string
  metadata: Record<string, string>
  at: Date
}

interface Upload {
  key: string
  type: string
  metadata: Record<string, string>
  begun: Date
  parts: Map<number, Stored>
}

/** What the next requests of a kind meet. */
interface Fault {
  /** 'put', 'create', 'part', 'complete', 'abort', 'get', 'head', 'list', 'uploads', 'delete', 'parts'. */
  on: string
  /** Of a part: its number. Default: any. */
  part?: number
  /** How often. Default 1. */
  times?: number
  /** 'reset' cuts the connection, 'lost' does it and cuts the connection then, 'cut' sends half of a body. Or a status. */
  does: 'reset' | 'lost' | 'cut' | number
}

export interface FakeS3 extends AsyncDisposable {
  /** As a store is named in the settings. */
  readonly place: string
  readonly endpoint: string
  readonly objects: Map<string, Stored>
  readonly uploads: Map<string, Upload>
  /** Kinds of requests, in their order. */
  readonly calls: string[]
  /** Most bytes of parts that were on their way at once. */
  readonly most: { parts: number }
  fail(fault: Fault): void
  /** Resolves at the `nth` request of this kind from now on, and holds that until it is told to go on. */
  hold(on: string, nth?: number): Promise<() => void>
}

export interface FakeS3Options {
  /** Bytes a second of all bodies that are sent to it. */
  rate?: number
  /** Only sizes are kept: for what is larger than memory. */
  forget?: boolean
}

export async function startFakeS3({ rate, forget = false }: FakeS3Options = {}): Promise<FakeS3> {
  const objects = new Map<string, Stored>()
  const uploads = new Map<string, Upload>()
  const calls: string[] = []
  const faults: Fault[] = []
  const holds: { on: string; nth: number; reached: (goOn: () => void) => void }[] = []
  const most = { parts: 0 }
  let parts = 0
  let bodyAt = Date.now()

  /** As slow as `rate` says, and with back pressure. */
  async function read(request: IncomingMessage): Promise<Stored> {
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (!forget) chunks.push(chunk)
      if (rate === undefined) continue
      bodyAt = Math.max(bodyAt, Date.now()) + (chunk.length / rate) * 1000
      if (bodyAt > Date.now() + 5) await sleep(bodyAt - Date.now())
    }
    const metadata: Record<string, string> = {}
    for (const [name, value] of Object.entries(request.headers))
      if (name.startsWith('x-amz-meta-')) metadata[name.slice('x-amz-meta-'.length)] = String(value)
    const body = forget ? undefined : Buffer.concat(chunks)
    return { body, bytes, type: request.headers['content-type'] ?? '', metadata, at: new Date() }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake')
    const key = decodeURIComponent(url.pathname.split('/').slice(2).join('/'))
    const id = url.searchParams.get('uploadId') ?? ''
    const kind = kindOf(request.method ?? '', url, key)
    const number = Number(url.searchParams.get('partNumber'))
    calls.push(kind)
    const held = holds.find(({ on }) => on === kind)
    if (held !== undefined && --held.nth === 0) {
      holds.splice(holds.indexOf(held), 1)
      await new Promise<void>(resolve => held.reached(resolve))
    }
    const fault = faults.find(one => one.on === kind && (one.part ?? number) === number)
    if (fault !== undefined && fault.times !== undefined && --fault.times === 0)
      faults.splice(faults.indexOf(fault), 1)
    const does = fault?.does
    if (does === 'reset') {
      request.socket.destroy()
      return
    }
    if (typeof does === 'number') {
      await read(request).catch(() => undefined)
      sayError(response, does, does === 404 ? 'NoSuchUpload' : 'InternalError')
      return
    }
    if (kind === 'part') most.parts = Math.max(most.parts, ++parts)
    let body: Stored
    try {
      body = await read(request)
    } finally {
      if (kind === 'part') parts--
    }
    const say = (status: number, text = '', headers: Record<string, string | number> = {}) => {
      if (does === 'lost') request.socket.destroy()
      else response.writeHead(status, { 'content-length': Buffer.byteLength(text), ...headers }).end(text)
    }
    const upload = uploads.get(id)
    const isTaken = request.headers['if-none-match'] === '*' && objects.has(key)
    switch (kind) {
      case 'put':
        if (isTaken) return sayError(response, 412, 'PreconditionFailed')
        objects.set(key, body)
        return say(200, '', { etag: etagOf(body) })
      case 'create': {
        const begun = randomUUID()
        uploads.set(begun, { ...body, key, begun: new Date(), parts: new Map() })
        return say(
          200,
          `<InitiateMultipartUploadResult><UploadId>${begun}</UploadId></InitiateMultipartUploadResult>`,
        )
      }
      case 'part':
        if (upload === undefined) return sayError(response, 404, 'NoSuchUpload')
        upload.parts.set(number, body)
        return say(200, '', { etag: etagOf(body) })
      case 'complete': {
        if (upload === undefined) return sayError(response, 404, 'NoSuchUpload')
        if (isTaken) return sayError(response, 412, 'PreconditionFailed')
        const asked = [...(body.body?.toString() ?? '').matchAll(/<PartNumber>(\d+)</g)].map(([, n]) =>
          Number(n),
        )
        const all = (forget ? [...upload.parts.keys()].sort((a, b) => a - b) : asked).map(n =>
          upload.parts.get(n),
        )
        if (all.some((part, i) => part === undefined || (part.bytes < 5 * 1024 ** 2 && i < all.length - 1)))
          return sayError(response, 400, all.includes(undefined) ? 'InvalidPart' : 'EntityTooSmall')
        objects.set(key, {
          body: forget ? undefined : Buffer.concat(all.map(part => part!.body!)),
          bytes: all.reduce((sum, part) => sum + part!.bytes, 0),
          type: upload.type,
          metadata: upload.metadata,
          at: new Date(),
        })
        uploads.delete(id)
        // As a composite tag is: nobody may take it for a hash.
        return say(
          200,
          `<CompleteMultipartUploadResult><ETag>"x-${all.length}"</ETag></CompleteMultipartUploadResult>`,
        )
      }
      case 'abort':
        if (!uploads.delete(id)) return sayError(response, 404, 'NoSuchUpload')
        return say(204)
      case 'parts': {
        if (upload === undefined) return sayError(response, 404, 'NoSuchUpload')
        const list = [...upload.parts].map(
          ([n, { bytes }]) => `<Part><PartNumber>${n}</PartNumber><Size>${bytes}</Size></Part>`,
        )
        return say(200, `<ListPartsResult>${list.join('')}</ListPartsResult>`)
      }
      case 'get':
      case 'head': {
        const object = objects.get(key)
        if (object === undefined) return sayError(response, 404, kind === 'get' ? 'NoSuchKey' : '')
        const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
        const [start, end] = [Number(from), Math.min(to === '' ? Infinity : Number(to), object.bytes - 1)]
        if (start > 0 && start >= object.bytes) return sayError(response, 416, 'InvalidRange')
        const meta = Object.entries(object.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])
        const length = end - start + 1
        response.writeHead(request.headers.range === undefined ? 200 : 206, {
          'content-length': length,
          'content-type': object.type,
          ...Object.fromEntries(meta),
        })
        if (kind === 'head') return void response.end()
        const bytes = object.body?.subarray(start, end + 1) ?? Buffer.alloc(length)
        if (does !== 'cut') return void response.end(bytes)
        response.write(bytes.subarray(0, length >> 1), () => request.socket.destroy())
        return
      }
      case 'delete':
        objects.delete(key)
        return say(204)
      case 'list':
        return say(200, listing(objects, url.searchParams))
      default: {
        const prefix = url.searchParams.get('prefix') ?? ''
        const rows = [...uploads]
          .filter(([, one]) => one.key.startsWith(prefix))
          .map(
            ([uploadId, one]) =>
              `<Upload><Key>${one.key}</Key><UploadId>${uploadId}</UploadId><Initiated>${one.begun.toISOString()}</Initiated></Upload>`,
          )
        return say(200, `<ListMultipartUploadsResult>${rows.join('')}</ListMultipartUploadsResult>`)
      }
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    endpoint,
    place: `s3://files/in?endpoint=${endpoint}`,
    objects,
    uploads,
    calls,
    most,
    fail: fault => void faults.push({ times: 1, ...fault }),
    hold: (on, nth = 1) => new Promise(reached => holds.push({ on, nth, reached })),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Two a page, so that pages are gone through. */
function listing(objects: Map<string, Stored>, query: URLSearchParams): string {
  const prefix = query.get('prefix') ?? ''
  const after = query.get('continuation-token') ?? ''
  const keys = [...objects.keys()].filter(key => key.startsWith(prefix) && key > after).sort()
  const page = keys.slice(0, 2)
  const rows = page.map(key => {
    const { bytes, at } = objects.get(key)!
    return `<Contents><Key>${key}</Key><Size>${bytes}</Size><LastModified>${at.toISOString()}</LastModified></Contents>`
  })
  const more = keys.length > page.length
  const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
  return `<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${rows.join('')}</ListBucketResult>`
}

function kindOf(method: string, { searchParams }: URL, key: string): string {
  if (key === '') return searchParams.has('uploads') ? 'uploads' : 'list'
  if (method === 'POST') return searchParams.has('uploads') ? 'create' : 'complete'
  if (method === 'PUT') return searchParams.has('uploadId') ? 'part' : 'put'
  if (method === 'DELETE') return searchParams.has('uploadId') ? 'abort' : 'delete'
  if (method === 'HEAD') return 'head'
  return searchParams.has('uploadId') ? 'parts' : 'get'
}

const etagOf = ({ body, bytes }: Stored): string =>
  `"${createHash('md5')
    .update(body ?? String(bytes))
    .digest('hex')}"`

function sayError(response: ServerResponse, status: number, code: string): void {
  const text = code === '' ? '' : `<Error><Code>${code}</Code><Message>${code}</Message></Error>`
  response.writeHead(status, { 'content-length': Buffer.byteLength(text) }).end(text)
}
