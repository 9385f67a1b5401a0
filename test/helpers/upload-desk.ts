/**
 * A real server with one route that takes uploads, and a store in memory behind it: what was answered, what is stored, and
 * what was told of it.
 */
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { listen, type Listener } from '../../src/gateway/listener.ts'
import { problemResponse } from '../../src/gateway/problem.ts'
import type { FileFields } from '../../src/gateway/upload/form-content.ts'
import type { UploadLimits } from '../../src/gateway/upload/limits.ts'
import { receiveUpload, type Received, type Reception } from '../../src/gateway/upload/receive.ts'
import { UploadSlots } from '../../src/gateway/upload/slots.ts'
import { Events } from '../../src/observe/events.ts'
import type { Store } from '../../src/store/store.ts'
import { MemoryStore } from './memory-store.ts'

export const LIMITS: UploadLimits = {
  maxFile: 1024 ** 2,
  maxTotal: 2 * 1024 ** 2,
  maxFiles: 3,
  maxFields: 5,
  maxField: 1_000,
  concurrent: 8,
  idle: 5_000,
  minRate: 1,
  orphanAge: 86_400_000,
}

export interface DeskOptions {
  limits?: Partial<UploadLimits>
  fields?: FileFields
  caller?: Reception['caller']
  /** Default: one in memory. */
  store?: Store
  /** Of the whole server, before anything of a request is looked at. */
  guard?: (request: Request) => Response | undefined
}

/** `POST /upload` answers 202 with what it received; `POST /echo` with how many bytes its body has. */
export class UploadDesk implements AsyncDisposable {
  readonly store: MemoryStore = new MemoryStore()
  /** Where files go instead. */
  readonly #target: Store | undefined
  readonly events = new Events()
  readonly slots: UploadSlots
  readonly stop = new AbortController()
  /** Of uploads, in order. */
  readonly told: [name: string, fields: Record<string, unknown>][] = []
  /** What the route got, in order. */
  readonly received: Received[] = []
  readonly limits: UploadLimits
  caller: Reception['caller']
  #listener: Listener | undefined

  private constructor({ limits = {}, caller = { name: 'tests' }, store }: DeskOptions) {
    this.#target = store
    this.limits = { ...LIMITS, ...limits }
    this.slots = new UploadSlots(this.limits)
    this.caller = { uploads: this.limits.concurrent, ...caller }
    for (const name of ['started', 'stored', 'refused', 'aborted', 'discarded'] as const)
      this.events.on(`upload.${name}`, (fields: object) => this.told.push([name, { ...fields }]))
  }

  static async open(options: DeskOptions = {}): Promise<UploadDesk> {
    const desk = new UploadDesk(options)
    const { fields = { users: {} }, guard } = options
    const app = new Hono<{ Bindings: HttpBindings }>()
    app.use(async (c, next) => guard?.(c.req.raw) ?? (await next()))
    app.post('/upload', async c => c.json(await desk.receive(c.env.incoming, fields), 202))
    app.post('/echo', async c => c.json({ bytes: (await c.req.arrayBuffer()).byteLength }))
    app.onError(error => problemResponse(error))
    desk.#listener = await listen(app as unknown as Hono, '127.0.0.1:0')
    return desk
  }

  get url(): string {
    return this.#listener!.url
  }

  /** What it was told of in all, as words. */
  get words(): string[] {
    return this.told.map(([name, { reason }]) => (typeof reason === 'string' ? `${name} ${reason}` : name))
  }

  async receive(incoming: Parameters<typeof receiveUpload>[0], fields: FileFields) {
    const received = await receiveUpload(incoming, {
      target: { name: 'uploads', store: this.#target ?? this.store },
      limits: this.limits,
      slots: this.slots,
      fields,
      caller: this.caller,
      signal: this.stop.signal,
      events: this.events,
    })
    this.received.push(received)
    return { fields: received.fields, files: received.files }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.[Symbol.asyncDispose]()
  }
}
