/** The API without a socket: a project with jobs, a real Redis, a real loader thread. */
import type { Hono } from 'hono'
import { resolveConfig } from '../../../src/config.ts'
import { apiApp } from '../../../src/gateway/api/api-app.ts'
import type { ReceiveForm } from '../../../src/gateway/api/parts.ts'
import type { FleetEvents } from '../../../src/observe/events.ts'
import { Drain } from '../../../src/gateway/drain.ts'
import { JobCatalog } from '../../../src/gateway/job-catalog.ts'
import { Reach } from '../../../src/gateway/reach.ts'
import { serviceApp } from '../../../src/gateway/service-app.ts'
import { newToken, Tokens } from '../../../src/gateway/tokens.ts'
import { openRedis } from '../../../src/redis/connection.ts'
import { project, type Project } from '../../helpers/project.ts'

const EMAIL = `
import { job } from 'bullmq-runner'
import { z } from 'zod'
const person = z.object({ to: z.email(), password: z.string().optional() }).meta({ id: 'person' })
export default job({
  queue: 'mail',
  description: 'Sends one mail',
  attempts: 3,
  args: z.object({ to: z.email(), times: z.int().min(1).default(1), cc: z.array(person).optional() }),
  async run() {},
})
`
const STUCK = `
import { job } from 'bullmq-runner'
import { z } from 'zod'
export default job({
  args: z.object({ spin: z.boolean().refine(spin => { while (spin); return true }) }),
  async run() {},
})
`
const FILL = `
import { migration, keyset } from 'bullmq-runner'
import { z } from 'zod'
export default migration({
  args: z.object({ shop: z.string() }),
  source: keyset('users', { key: 'id', select: ['id'] }),
  async batch() {},
})
`
const FILES = {
  'jobs/emails/send.ts': EMAIL,
  'jobs/stuck.ts': STUCK,
  'jobs/broken.ts': 'throw new Error("no")',
  'jobs/any.mjs': 'export default () => 1',
  'jobs/fill.ts': FILL,
}

export const SHOP = newToken()
export const READER = newToken()
const ADMIN = newToken()

const TOKENS = [
  { name: 'shop', hash: SHOP.hash, scopes: ['enqueue' as const] },
  { name: 'reader', hash: READER.hash, scopes: ['read' as const] },
  { name: 'admin', hash: ADMIN.hash, scopes: ['enqueue' as const, 'read' as const, 'operate' as const] },
]

export interface Served extends AsyncDisposable {
  app: Hono
  reach: Reach
  drain: Drain
  dir: Project
  changes: FleetEvents['api.changed'][0][]
  faults: unknown[]
  broken: string[]
  /** `body`: sent as JSON; text is sent as it is. */
  ask: (method: string, path: string, options?: AskOptions) => Promise<Asked>
}

export interface AskOptions {
  token?: string
  body?: unknown
  headers?: Record<string, string>
  /** Says that it is a form; what is in it is what `receive` gives. */
  form?: true
}

interface Asked {
  status: number
  headers: Headers
  body: Record<string, unknown>
}

export interface ServedOptions {
  url: string
  tokens?: typeof TOKENS
  checkWithin?: number
  receive?: ReceiveForm
  redact?: string[]
}

export async function served(options: ServedOptions): Promise<Served> {
  const { url, tokens = TOKENS, checkWithin, receive, redact = [] } = options
  const dir = project(FILES)
  const flags = { redis: url, redact }
  const config = { ...(await resolveConfig({ cwd: dir.dir, env: {}, flags })), tokens }
  const redis = await openRedis(config)
  const reach = new Reach()
  reach.reach(redis)
  const drain = new Drain()
  const [changes, faults, broken]: [Served['changes'], unknown[], string[]] = [[], [], []]
  const onBroken = ({ name, code }: { name: string; code: string }) => broken.push(`${name} ${code}`)
  const catalog = new JobCatalog({ config, onBroken, ...(checkWithin !== undefined && { checkWithin }) })
  const api = apiApp({
    config,
    tokens: new Tokens(tokens),
    catalog,
    reach,
    drain,
    onChange: change => changes.push(change),
    ...(receive !== undefined && { receive }),
  })
  const app = serviceApp({
    scale: { ping: async () => undefined, read: () => Promise.reject(new Error('not here')) },
    isStopping: () => drain.stopping.aborted,
    onError: () => undefined,
    onFault: (_, error) => faults.push(error),
    api,
  })
  return {
    app,
    reach,
    drain,
    dir,
    changes,
    faults,
    broken,
    async ask(method, path, { token = ADMIN.token, body, headers = {}, form } = {}) {
      const request = {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(form && { 'content-type': 'multipart/form-data; boundary=B' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }
      const answer = await app.request(`http://localhost${path}`, request, form && { incoming: {} })
      const text = await answer.text()
      return {
        status: answer.status,
        headers: answer.headers,
        body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
      }
    },
    async [Symbol.asyncDispose]() {
      await catalog[Symbol.asyncDispose]()
      await reach[Symbol.asyncDispose]()
      await redis.close()
      dir[Symbol.dispose]()
    },
  }
}
