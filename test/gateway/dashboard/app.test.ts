/** The dashboard without a socket: who is let in, what is refused, and what the page says. */
import { Queue } from 'bullmq'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunnerError } from '../../../src/errors.ts'
import { Replicas } from '../../../src/redis/replicas.ts'
import { dashboardBench, TOKENS, type DashboardBench } from '../../helpers/dashboard.ts'
import { replicaEntry } from '../../helpers/replica-entry.ts'

const NASTY = '<img src=x onerror=alert(1)>"\'&'

let b: DashboardBench
beforeAll(async () => void (b = await dashboardBench()))
afterAll(() => b[Symbol.asyncDispose]())

describe('with tokens', () => {
  it('shows nothing to who is not signed in: a person is asked to, a program told', async () => {
    const { request } = await b.open({ tokens: true })
    for (const path of ['/', '/queues', '/queues/api/queues', '/live']) {
      const page = await request(path)
      expect([path, page.status, page.headers.get('location')]).toEqual([path, 303, '/login'])
      const data = await request(path, { headers: { accept: 'application/json' } })
      expect([path, data.status]).toEqual([path, 401])
    }
  })

  it('lets in a token with the scope read, by a cookie that no script and no other site has', async () => {
    const { signIn, textOf, request } = await b.open({ tokens: true })
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
    const { signIn } = await b.open({ tokens: true })
    const { set } = await signIn(TOKENS.viewer.token, 'https://runner.example')
    expect(set).toMatch(
      /^__Host-runner-session=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    )
  })

  it('lets nobody act who may only read, and forgets who signs out', async () => {
    const { signIn, act, post, formToken, acted } = await b.open({ tokens: true })
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
    const [one, two] = [await b.open({ tokens: true }), await b.open({ tokens: true })]
    const there = b.redis.client()
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
    const { request } = await b.open()
    for (const host of ['127.0.0.1:9090', 'localhost:9090', '[::1]:9090', 'LOCALHOST'])
      expect([host, (await request('/', { headers: { host } })).status]).toEqual([host, 200])
    for (const host of ['evil.example', 'localhost.evil.example:9090', '10.0.0.1', ''])
      for (const path of ['/', '/live', '/queues/api/queues'])
        expect([host, (await request(path, { headers: { host } })).status]).toEqual([host, 403])
  })
})

describe('what would change something', () => {
  it('is refused unless a page of ours sent it', async () => {
    const { request, formToken, acted } = await b.open()
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
    expect(await b.mail.isPaused()).toBe(false)
  })

  it('is refused without the token of the form, and what is too long or no action', async () => {
    const { post, act } = await b.open()
    const what = '{"do":"pause-queue","queue":"mail"}'
    expect((await post('/act', { act: what })).status).toBe(403)
    expect((await post('/act', { act: what, token: 'x'.repeat(43) })).status).toBe(403)
    expect((await post('/act', { act: 'x'.repeat(20_000) })).status).toBe(413)
    for (const wrong of ['', '{', '[]', '{"do":"obliterate","queue":"mail"}', '{"do":"pause-queue"}'])
      expect(await act(wrong)).toMatchObject({ status: 400, ok: false })
    expect(await b.mail.isPaused()).toBe(false)
  })

  it('is done, told, and written down with who did it', async () => {
    const { act, post, formToken, acted } = await b.open()
    expect(await act({ do: 'pause-queue', queue: 'mail' })).toEqual({
      status: 200,
      ok: true,
      said: 'queue mail is paused: jobs that run go on',
    })
    expect(await b.mail.isPaused()).toBe(true)
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
    const { act } = await b.open()
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
  it('costs Redis a few commands every two seconds, however many look at it', async () => {
    const client = b.redis.client()
    const { textOf, act } = await b.open()
    const cost = async (pages: number) => {
      await client.config('RESETSTAT')
      await Promise.all(Array.from({ length: pages }, () => textOf('/')))
      const stats = await client.info('commandstats')
      const calls = [...stats.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)]
      return calls
        .filter(([, name]) => name !== 'info' && !name?.startsWith('config'))
        .reduce((sum, [, , count]) => sum + Number(count), 0)
    }
    // The first one also looks for queues, which it then does every half minute.
    await cost(1)
    expect(await cost(1)).toBe(0)
    await act({ do: 'resume-queue', queue: 'mail' })
    const commands = await cost(50)
    // Of one queue: two of replicas, and a script, with what that calls.
    expect(commands).toBeGreaterThan(0)
    expect(commands).toBeLessThan(40)
  })

  it('is ours alone: no script but our file, in no frame, in no cache', async () => {
    const { request } = await b.open()
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
    expect(text.match(/<script[^>]*>/g)).toEqual(['<script type="module" src="/dashboard/live.js">'])
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
    const nasty = new Queue('nasty', { connection: b.redis.client() })
    await nasty.add(NASTY, {}, { jobId: NASTY })
    const replicas = new Replicas(b.redis.client(), 'bull')
    const block = { executor: 1, ms: 5_000, where: NASTY, queue: 'nasty', job: NASTY, id: NASTY }
    await replicas.publish(
      replicaEntry({
        id: NASTY,
        host: NASTY,
        version: NASTY,
        queues: { [NASTY]: 1 },
        rates: { nasty: 0.05 },
        blocked: [block],
      }),
    )
    const { textOf } = await b.open({
      uploads: [{ id: NASTY, token: NASTY, bytes: 3_600_000, since: Date.now() - 5_000 }],
    })
    const text = await textOf('/')
    expect(text).not.toContain('<img')
    expect(text.split('&lt;img src=x onerror=alert(1)&gt;').length).toBeGreaterThan(8)
    expect(text).toContain('3.4 MiB')
    expect(text).toContain('3/min')
    expect(text).toMatch(/holds\s+executor 1/)
    await replicas.remove(NASTY)
    await nasty.obliterate({ force: true })
  })

  it('counts what runs and is not shown', async () => {
    const busy = new Queue('busy', { connection: b.redis.client() })
    const jobs = await busy.addBulk(Array.from({ length: 53 }, () => ({ name: 'x', data: {} })))
    const ids = jobs.map(({ id = '' }) => id)
    await b.redis
      .client()
      .multi()
      .del('bull:busy:wait')
      .lpush('bull:busy:active', ...ids)
      .exec()
    const { textOf } = await b.open()
    const text = await textOf('/')
    expect(text).toContain('<span>53 running</span>')
    expect(text).toMatch(/Running jobs <span class="count">53</)
    expect(text).toContain('3 more are not shown.')
    expect(text.match(/aria-label="Cancel job /g)).toHaveLength(50)
    await busy.obliterate({ force: true })
  })

  it('says that Redis is away, and what was asked of it then is not done later', async () => {
    const { textOf, act, request } = await b.open({
      away: new RunnerError('REDIS_UNREACHABLE', 'no Redis at 10.0.0.9'),
    })
    expect(await textOf('/')).toContain('Redis cannot be read: no Redis at 10.0.0.9')
    expect(await act({ do: 'pause-queue', queue: 'mail' })).toMatchObject({ status: 503, ok: false })
    expect((await request('/queues')).status).toBe(503)
  })

  it('comes as it changes to who watches, and lets go when the process stops', async () => {
    const { request, stop } = await b.open()
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
