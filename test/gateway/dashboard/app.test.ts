/** The dashboard without a socket: who is let in, what is refused, and what the page says. */
import { Queue } from 'bullmq'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resolveConfig } from '../../../src/config.ts'
import { RunnerError } from '../../../src/errors.ts'
import { dashboardApp, type Acted } from '../../../src/gateway/dashboard/app.ts'
import { Panel, type ActiveUpload } from '../../../src/gateway/dashboard/panel.ts'
import { newToken } from '../../../src/gateway/tokens.ts'
import { openRedis, type RedisHandle } from '../../../src/redis/connection.ts'
import { Quarantine } from '../../../src/redis/quarantine.ts'
import { Replicas } from '../../../src/redis/replicas.ts'
import { project, type Project } from '../../helpers/project.ts'
import { replicaEntry } from '../../helpers/replica-entry.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'

const TOKENS = { ops: newToken(), viewer: newToken(), producer: newToken() }
const SCOPES = { ops: ['read', 'operate'], viewer: ['read'], producer: ['enqueue'] } as const
const NASTY = '<img src=x onerror=alert(1)>"\'&'

let redis: TestRedis
let dir: Project
let handle: RedisHandle
let mail: Queue
const opened: AsyncDisposable[] = []

beforeAll(async () => {
  redis = await startRedis()
  dir = project()
  handle = await openRedis(await configOf({}))
  mail = new Queue('mail', { connection: redis.client() })
  await mail.add('send', { to: 'ann', card: '4111' })
})
afterAll(async () => {
  for (const one of opened) await one[Symbol.asyncDispose]()
  await handle.close()
  await redis.stop()
  dir[Symbol.dispose]()
})

function configOf(more: { tokens?: unknown; redact?: string[] }) {
  return resolveConfig({ cwd: dir.dir, env: {}, flags: { redis: redis.url, ...more } })
}

interface Options {
  tokens?: boolean
  /** Default: it is reached. */
  away?: RunnerError
  uploads?: ActiveUpload[]
}

/** The app, a browser that keeps its cookie, and what was done. */
async function open({ tokens = false, away, uploads }: Options = {}) {
  const known = Object.entries(TOKENS).map(([name, { hash }]) => ({
    name,
    hash,
    scopes: SCOPES[name as keyof typeof SCOPES],
  }))
  const config = await configOf({ redact: ['card'], ...(tokens && { tokens: known }) })
  const errors: string[] = []
  const panel = new Panel({
    config,
    onError: ({ message }) => errors.push(message),
    ...(uploads && { uploads: () => uploads }),
  })
  opened.push(panel)
  if (away === undefined) panel.reach(handle)
  else panel.unreachable(away)
  const stop = new AbortController()
  const acted: Acted[] = []
  const app = dashboardApp({ panel, signal: stop.signal, onAction: one => acted.push(one) })
  let cookie = ''
  const request = (path: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
    app.request(`http://127.0.0.1:9090${path}`, {
      ...init,
      headers: { accept: 'text/html', cookie, ...init.headers },
    })
  const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    request(path, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { origin: 'http://127.0.0.1:9090', 'sec-fetch-site': 'same-origin', ...headers },
    })
  const textOf = async (path: string) => (await request(path)).text()
  const formToken = async (path: string) =>
    /name="token"\s+value="([^"]+)"/.exec(await textOf(path))?.[1] ?? ''
  return {
    app,
    acted,
    errors,
    stop,
    request,
    post,
    textOf,
    formToken,
    act: async (what: object | string, headers: Record<string, string> = {}) => {
      const act = typeof what === 'string' ? what : JSON.stringify(what)
      const answer = await post(
        '/act',
        { token: await formToken('/'), act },
        { accept: 'application/json', ...headers },
      )
      return { status: answer.status, ...((await answer.json()) as { said: string; ok: boolean }) }
    },
    async signIn(token: string, origin = 'http://127.0.0.1:9090') {
      const answer = await post('/login', { token: await formToken('/login'), secret: token }, { origin })
      const set = answer.headers.get('set-cookie') ?? ''
      if (set !== '') cookie = set.split(';')[0] ?? ''
      return { status: answer.status, set, text: await answer.text() }
    },
  }
}

describe('with tokens', () => {
  it('shows nothing to who is not signed in: a person is asked to, a program told', async () => {
    const { request } = await open({ tokens: true })
    for (const path of ['/', '/queues', '/queues/api/queues', '/live']) {
      const page = await request(path)
      expect([path, page.status, page.headers.get('location')]).toEqual([path, 303, '/login'])
      const data = await request(path, { headers: { accept: 'application/json' } })
      expect([path, data.status]).toEqual([path, 401])
    }
  })

  it('lets in a token with the scope read, by a cookie that no script and no other site has', async () => {
    const { signIn, textOf, request } = await open({ tokens: true })
    expect(await signIn(`${TOKENS.ops.token}x`)).toMatchObject({ status: 401, set: '' })
    const producer = await signIn(TOKENS.producer.token)
    expect(producer).toMatchObject({ status: 403, set: '' })
    expect(producer.text).toContain('Token producer does not have the scope read.')
    const { status, set } = await signIn(TOKENS.viewer.token)
    expect(status).toBe(303)
    expect(set).toMatch(/^runner-session=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/)
    const page = await textOf('/')
    expect(page).toContain('viewer')
    expect(page).not.toContain('Pause')
    expect((await request('/queues')).status).toBe(200)
  })

  it('binds the cookie to the host where there is TLS, whoever ends it', async () => {
    const { signIn } = await open({ tokens: true })
    const { set } = await signIn(TOKENS.viewer.token, 'https://runner.example')
    expect(set).toMatch(
      /^__Host-runner-session=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    )
  })

  it('lets nobody act who may only read, and forgets who signs out', async () => {
    const { signIn, act, post, formToken, acted } = await open({ tokens: true })
    await signIn(TOKENS.viewer.token)
    expect(await act({ do: 'pause-queue', queue: 'mail' })).toMatchObject({
      status: 403,
      said: expect.stringMatching(/does not have the scope operate/),
    })
    expect(acted).toEqual([])
    const out = await post('/logout', { token: await formToken('/') })
    expect([out.status, out.headers.get('location')]).toEqual([303, '/login'])
    expect(out.headers.get('set-cookie')).toMatch(/runner-session=; Max-Age=0/)
  })

  it('shares sign-ins with every process on the same Redis', async () => {
    const [one, two] = [await open({ tokens: true }), await open({ tokens: true })]
    const there = redis.client()
    await expect.poll(() => there.exists('bull:runner:session-key')).toBe(1)
    await expect
      .poll(async () => {
        const { set } = await one.signIn(TOKENS.viewer.token)
        return (await two.request('/', { headers: { cookie: set.split(';')[0] ?? '' } })).status
      })
      .toBe(200)
  })
})

describe('without tokens', () => {
  it('answers this host by its own names, and no other name that was made to mean it', async () => {
    const { request } = await open()
    for (const host of ['127.0.0.1:9090', 'localhost:9090', '[::1]:9090', 'LOCALHOST'])
      expect([host, (await request('/', { headers: { host } })).status]).toEqual([host, 200])
    for (const host of ['evil.example', 'localhost.evil.example:9090', '10.0.0.1', ''])
      for (const path of ['/', '/live', '/queues/api/queues'])
        expect([host, (await request(path, { headers: { host } })).status]).toEqual([host, 403])
  })
})

describe('what would change something', () => {
  it('is refused unless a page of ours sent it', async () => {
    const { request, formToken, acted } = await open()
    const token = await formToken('/')
    const body = () => new URLSearchParams({ token, act: '{"do":"pause-queue","queue":"mail"}' })
    const foreign: Record<string, string>[] = [
      {},
      { origin: 'http://evil.example' },
      { origin: 'http://127.0.0.1:9091' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:9090' },
      { 'sec-fetch-site': 'none' },
    ]
    for (const headers of foreign) {
      for (const [method, path] of [
        ['POST', '/act'],
        ['PUT', '/queues/api/queues/mail/pause'],
        ['POST', '/queues/api/queues/mail/add'],
        ['POST', '/login'],
      ] as const) {
        const answer = await request(path, { method, body: body(), headers })
        expect([headers, path, answer.status]).toEqual([headers, path, 403])
      }
    }
    expect(acted).toEqual([])
    expect(await mail.isPaused()).toBe(false)
  })

  it('is refused without the token of the form, and what is too long or no action', async () => {
    const { post, act } = await open()
    const what = '{"do":"pause-queue","queue":"mail"}'
    expect((await post('/act', { act: what })).status).toBe(403)
    expect((await post('/act', { act: what, token: 'x'.repeat(43) })).status).toBe(403)
    expect((await post('/act', { act: 'x'.repeat(20_000) })).status).toBe(413)
    for (const wrong of ['', '{', '[]', '{"do":"obliterate","queue":"mail"}', '{"do":"pause-queue"}'])
      expect(await act(wrong)).toMatchObject({ status: 400, ok: false })
    expect(await mail.isPaused()).toBe(false)
  })

  it('is done, told, and written down with who did it', async () => {
    const { act, post, formToken, acted } = await open()
    expect(await act({ do: 'pause-queue', queue: 'mail' })).toEqual({
      status: 200,
      ok: true,
      said: 'queue mail is paused: jobs that run go on',
    })
    expect(await mail.isPaused()).toBe(true)
    expect(acted).toEqual([
      {
        by: 'local',
        what: '{"do":"pause-queue","queue":"mail"}',
        said: 'queue mail is paused: jobs that run go on',
        ok: true,
      },
    ])
    // A browser without a script gets the page, with what came of it, and how it is now.
    const page = await post('/act', {
      token: await formToken('/'),
      act: '{"do":"resume-queue","queue":"mail"}',
    })
    const text = await page.text()
    expect(text).toContain('queue mail is open')
    expect(text).toContain('aria-label="Pause queue mail"')
  })

  it('says in words what cannot be done', async () => {
    const { act } = await open()
    expect(await act({ do: 'pause-queue', queue: 'mial' })).toMatchObject({
      status: 404,
      said: expect.stringMatching(/no queue mial.*did you mean mail/),
    })
    expect(await act({ do: 'pause-run', run: 'x-1' })).toMatchObject({
      status: 404,
      said: expect.stringMatching(/no run x-1/),
    })
    expect(await act({ do: 'cancel-job', queue: 'mail', id: '99' })).toMatchObject({
      status: 200,
      said: 'job 99 of queue mail was over already',
    })
  })
})

describe('the page', () => {
  it('is ours alone: no script but our file, in no frame, in no cache', async () => {
    const { request } = await open()
    const page = await request('/')
    expect(page.headers.get('content-security-policy')).toMatch(
      /default-src 'none'; script-src 'self'; style-src 'self';.*frame-ancestors 'none'/,
    )
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
    const text = await page.text()
    expect(text.match(/<script[^>]*>/g)).toEqual(['<script src="/dashboard/live.js" defer>'])
    expect(text).not.toMatch(/ style=| on\w+=/)
    const script = await request('/dashboard/live.js')
    expect(script.headers.get('content-type')).toContain('text/javascript')
    const again = await request('/dashboard/live.js', {
      headers: { 'if-none-match': script.headers.get('etag') ?? '' },
    })
    expect(again.status).toBe(304)
    expect((await request('/queues')).headers.get('content-security-policy')).toMatch(
      /script-src 'self'; style-src 'self' 'unsafe-inline'/,
    )
  })

  it('shows names as they are, and never as HTML', async () => {
    const nasty = new Queue('nasty', { connection: redis.client() })
    await nasty.add(NASTY, {}, { jobId: NASTY })
    const replicas = new Replicas(redis.client(), 'bull')
    const block = { executor: 1, ms: 5_000, where: NASTY, queue: 'nasty', job: NASTY, id: NASTY }
    await replicas.publish(
      replicaEntry({ id: NASTY, host: NASTY, version: NASTY, queues: { [NASTY]: 1 }, blocked: [block] }),
    )
    const { textOf } = await open({
      uploads: [{ id: NASTY, token: NASTY, bytes: 3_600_000, since: Date.now() - 5_000 }],
    })
    const text = await textOf('/')
    expect(text).not.toContain('<img')
    expect(text.split('&lt;img src=x onerror=alert(1)&gt;').length).toBeGreaterThan(8)
    expect(text).toContain('3.4 MiB')
    expect(text).toMatch(/holds\s+executor 1/)
    await replicas.remove(NASTY)
    await nasty.obliterate({ force: true })
  })

  it('says that Redis is away, and what was asked of it then is not done later', async () => {
    const { textOf, act, request } = await open({
      away: new RunnerError('REDIS_UNREACHABLE', 'no Redis at 10.0.0.9'),
    })
    expect(await textOf('/')).toContain('Redis cannot be read: no Redis at 10.0.0.9')
    expect(await act({ do: 'pause-queue', queue: 'mail' })).toMatchObject({ status: 503, ok: false })
    expect((await request('/queues')).status).toBe(503)
  })

  it('comes as it changes to who watches, and lets go when the process stops', async () => {
    const { request, stop } = await open()
    const answer = await request('/live')
    expect(answer.headers.get('content-type')).toContain('text/event-stream')
    let text = ''
    const reader = (answer.body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream())
      .getReader()
    const until = async (what: RegExp) => {
      while (!what.test(text)) {
        const { value, done } = await reader.read()
        if (done) throw new Error(`it ended: ${text}`)
        text += value
      }
    }
    await until(/\n\n/)
    const [first] = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '') as [string, string][]
    expect(first?.[0]).toBe('summary')
    text = ''
    // Later ones have what is different only: the time, and for how long a job has waited.
    await until(/\n\n/)
    const later = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '') as [string, string][]
    expect(later.map(([id]) => id)).toEqual(['summary', 'fleet-queues'])
    stop.abort()
    await until(/event: stopping/)
    expect((await reader.read()).done).toBe(true)
  })
})

describe('bull-board', () => {
  const board = async (
    path: string,
    init: RequestInit & { headers?: Record<string, string> } = {},
    as: 'local' | 'viewer' = 'local',
  ) => {
    const one = await open({ tokens: as === 'viewer' })
    if (as === 'viewer') await one.signIn(TOKENS.viewer.token)
    const answer = await one.request(`/queues${path}`, {
      ...init,
      headers: {
        accept: 'application/json',
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/json',
        ...init.headers,
      },
    })
    const text = await answer.text()
    return { status: answer.status, text, acted: one.acted }
  }

  it('shows payloads with what is redacted hidden', async () => {
    const { status, text } = await board('/api/queues?activeQueue=mail&page=1')
    expect(status).toBe(200)
    const { queues } = JSON.parse(text) as {
      queues: { name: string; jobs: { data: unknown }[]; readOnlyMode: boolean }[]
    }
    const found = queues.find(({ name }) => name === 'mail')
    expect(found).toMatchObject({ readOnlyMode: false, jobs: [{ data: { to: 'ann', card: '[Redacted]' } }] })
    expect((await board('/api/queues/mail/1')).text).not.toContain('4111')
  })

  it('hides them in the templates of schedules too', async () => {
    await mail.upsertJobScheduler('daily', { every: 86_400_000 }, { name: 'send', data: { card: '4242' } })
    const { text } = await board('/api/job-schedulers')
    expect(text).toContain('"card":"[Redacted]"')
    expect(text).not.toContain('4242')
    await mail.removeJobScheduler('daily')
  })

  it('changes nothing for who may only read', async () => {
    for (const path of ['/pause', '/1/clean', '/1/promote'])
      expect([path, (await board(`/api/queues/mail${path}`, { method: 'PUT' }, 'viewer')).status]).toEqual([
        path,
        405,
      ])
    expect(await mail.isPaused()).toBe(false)
    expect(await mail.getJob('1')).toBeDefined()
  })

  it('opens and closes a queue, and refuses what goes by the thousand, writes payloads or touches schedules', async () => {
    const paused = await board('/api/queues/mail/pause', { method: 'PUT' })
    expect(paused).toMatchObject({
      status: 200,
      acted: [{ by: 'local', what: 'PUT /queues/api/queues/mail/pause', ok: true }],
    })
    expect(await mail.isPaused()).toBe(true)
    await board('/api/queues/mail/resume', { method: 'PUT' })
    expect(await mail.isPaused()).toBe(false)
    const before = await mail.count()
    const refused: [string, string, RegExp][] = [
      ['PUT', '/api/queues/pause', /runner queues pause/],
      ['POST', '/api/queues/mail/add', /runner enqueue/],
      ['PATCH', '/api/queues/mail/1/update-data', /runner enqueue/],
      ['PUT', '/api/queues/mail/empty', /runner queues drain/],
      ['PUT', '/api/queues/mail/obliterate', /runner queues drain/],
      ['PUT', '/api/queues/mail/clean/failed', /runner queues drain/],
      ['PUT', '/api/queues/mail/retry/failed', /runner jobs retry/],
      ['PUT', '/api/queues/mail/promote', /runner jobs promote/],
      ['PUT', '/api/queues/mail/job-schedulers/daily/remove', /runner schedules apply/],
      ['PUT', '/api/queues/mail/1/remove-unprocessed-children', /not from here/],
    ]
    for (const [method, path, instead] of refused) {
      const { status, text } = await board(path, { method, body: '{}' })
      expect([path, status]).toEqual([path, 403])
      expect(text).toMatch(instead)
    }
    expect(await mail.count()).toBe(before)
  })

  it('does not retry a job of the quarantine, and removes others as runner jobs remove does', async () => {
    const client = redis.client()
    const failing = new Queue('failing', { connection: client })
    const { id = '' } = await failing.add('boom', {})
    await client.lrem('bull:failing:wait', 0, id)
    await client.zadd('bull:failing:failed', Date.now(), id)
    const quarantine = new Quarantine(client, 'bull')
    await quarantine.put({
      queue: 'failing',
      id,
      job: 'boom',
      cause: 'exit',
      reason: 'x',
      peakRss: 0,
      crashes: 3,
      at: 0,
    })
    const retried = await board(`/api/queues/failing/${id}/retry`, { method: 'PUT' })
    expect(retried.status).toBe(500)
    expect(retried.text).toContain('it is in quarantine')
    expect(await failing.getJobState(id)).toBe('failed')
    expect((await board(`/api/queues/failing/${id}/clean`, { method: 'PUT' })).status).toBe(204)
    expect(await failing.getJob(id)).toBeUndefined()
    expect(await quarantine.list()).toEqual([])
  })
})
