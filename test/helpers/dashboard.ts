/** The dashboard on a Redis, without a socket, and a browser that keeps its cookie. */
import { Queue } from 'bullmq'
import { resolveConfig } from '../../src/config.ts'
import type { RunnerError } from '../../src/errors.ts'
import { dashboardApp, type Acted } from '../../src/gateway/dashboard/app.ts'
import { Panel } from '../../src/gateway/dashboard/panel.ts'
import type { ActiveUpload } from '../../src/gateway/upload/slots.ts'
import { newToken } from '../../src/gateway/tokens.ts'
import { openRedis } from '../../src/redis/connection.ts'
import { project } from './project.ts'
import { startRedis, type TestRedis } from './redis.ts'

/** One for each way to be let in, or not. */
export const TOKENS = { ops: newToken(), viewer: newToken(), producer: newToken() }
const SCOPES = { ops: ['read', 'operate'], viewer: ['read'], producer: ['enqueue'] } as const
const HERE = 'http://127.0.0.1:9090'

interface Sent {
  method?: string
  body?: string | URLSearchParams
  headers?: Record<string, string>
}

interface DashboardOptions {
  /** Those of TOKENS are in its config. Default: none is. */
  tokens?: boolean
  /** Redis was never reached, for this reason. */
  away?: RunnerError
  uploads?: ActiveUpload[]
}

export interface DashboardBench extends AsyncDisposable {
  redis: TestRedis
  /** With one job, whose `card` is redacted. */
  mail: Queue
  open(options?: DashboardOptions): Promise<TestDashboard>
}

type TestDashboard = ReturnType<typeof openDashboard> & {
  /** What somebody should know of. */
  errors: Error[]
}

export async function dashboardBench(): Promise<DashboardBench> {
  const redis = await startRedis()
  const dir = project()
  const configOf = (more: object) =>
    resolveConfig({ cwd: dir.dir, env: {}, flags: { redis: redis.url, redact: ['card'], ...more } })
  const handle = await openRedis(await configOf({}))
  const mail = new Queue('mail', { connection: redis.client() })
  await mail.add('send', { to: 'ann', card: '4111' })
  const panels: Panel[] = []
  return {
    redis,
    mail,
    async open({ tokens = false, away, uploads } = {}) {
      const known = Object.entries(TOKENS).map(([name, { hash }]) => ({
        name,
        hash,
        scopes: SCOPES[name as keyof typeof SCOPES],
      }))
      const errors: Error[] = []
      const panel = new Panel({
        config: await configOf(tokens ? { tokens: known } : {}),
        onError: error => errors.push(error),
        ...(uploads && { uploads: () => uploads }),
      })
      panels.push(panel)
      if (away === undefined) panel.reach(handle)
      else panel.unreachable(away)
      return { ...openDashboard(panel), errors }
    },
    async [Symbol.asyncDispose]() {
      for (const panel of panels) await panel[Symbol.asyncDispose]()
      await handle.close()
      await redis.stop()
      dir[Symbol.dispose]()
    },
  }
}

function openDashboard(panel: Panel) {
  const stop = new AbortController()
  const acted: Acted[] = []
  const app = dashboardApp({ panel, signal: stop.signal, onAction: one => acted.push(one) })
  let cookie = ''
  const request = async (path: string, init: Sent = {}) =>
    app.request(HERE + path, { ...init, headers: { accept: 'text/html', cookie, ...init.headers } })
  const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    request(path, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { origin: HERE, 'sec-fetch-site': 'same-origin', ...headers },
    })
  const textOf = async (path: string) => (await request(path)).text()
  const formToken = async (path: string) =>
    /name="token"\s+value="([^"]+)"/.exec(await textOf(path))?.[1] ?? ''
  return {
    acted,
    stop,
    request,
    post,
    textOf,
    formToken,
    /** As the script of the page does it. */
    act: async (what: object | string) => {
      const act = typeof what === 'string' ? what : JSON.stringify(what)
      const form = { token: await formToken('/'), act }
      const answer = await post('/act', form, { accept: 'application/json' })
      return { status: answer.status, ...((await answer.json()) as { said: string; ok: boolean }) }
    },
    signIn: async (token: string, origin = HERE) => {
      const form = { token: await formToken('/login'), secret: token }
      const answer = await post('/login', form, { origin })
      const set = answer.headers.get('set-cookie') ?? ''
      if (set !== '') cookie = set.split(';')[0] ?? ''
      return { status: answer.status, set, text: await answer.text() }
    },
  }
}
