/** What `runner serve` answers, without a socket. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { Registry } from '@prometheus-io/client'
import { Hono } from 'hono'
import { expect, it } from 'vitest'
import { RunnerError } from '../../src/errors.ts'
import { queueFigures } from '../../src/gateway/queue-figures.ts'
import { listen } from '../../src/gateway/listener.ts'
import { serviceApp, type ServiceParts } from '../../src/gateway/service-app.ts'
import { estimate, type Estimate } from '../../src/scaling/estimate.ts'

const MAIL: Estimate = estimate({
  signal: {
    queue: 'mail',
    paused: false,
    waiting: 100,
    prioritized: 20,
    active: 8,
    delayed: 3,
    dueDelayed: 1,
    dueNow: 1,
    isOrphaned: true,
    waitingChildren: 0,
    failed: 4,
    completed: 9,
    nextDue: -1_500,
    oldestAge: 61_234,
    globalConcurrency: null,
    rateLimit: null,
  },
  rules: {
    minReplicas: 0,
    maxReplicas: 40,
    drainTarget: 60_000,
    latencyObjective: 60_000,
    jobTime: 1_000,
    scaleLead: 45_000,
  },
  concurrency: 5,
  concurrencyFrom: 'replicas',
  jobTime: 850,
  jobTimeFrom: 'measured',
  replicas: 2,
})

function appOf(parts: Partial<ServiceParts['scale']> & { isStopping?: boolean } = {}) {
  const { isStopping = false, ...scale } = parts
  const asked: string[] = []
  const errors: string[] = []
  const app = serviceApp({
    scale: {
      ping: () => Promise.resolve(),
      read: queue => {
        asked.push(queue)
        return Promise.resolve(MAIL)
      },
      ...scale,
    },
    isStopping: () => isStopping,
    onError: (queue, { message }) => errors.push(`${queue}: ${message}`),
  })
  const get = async (path: string) => {
    const answer = await app.request(path)
    return { status: answer.status, text: await answer.text() }
  }
  return { get, asked, errors }
}
function failing(error: Error) {
  const fail = async () => {
    throw error
  }
  return appOf({ read: fail, ping: fail })
}

it('says how many replicas a queue needs, and what it is made of', async () => {
  const { get } = appOf()
  const { status, text } = await get('/v1/queues/mail/scale')
  expect(status).toBe(200)
  expect(JSON.parse(text)).toEqual({
    queue: 'mail',
    desiredReplicas: 4,
    runnable: 121,
    pods: 122,
    waiting: 100,
    prioritized: 20,
    active: 8,
    dueDelayed: 1,
    nextDueSeconds: -1.5,
    oldestAgeSeconds: 61.234,
    drainSeconds: 10.285,
    paused: false,
    terms: { busy: 2, drain: 0.343, late: 1 },
    wanted: 4,
    limits: [{ by: 'maxReplicas', replicas: 40, binds: false }],
    least: 1,
    replicas: 2,
    concurrency: 5,
    concurrencyFrom: 'replicas',
    jobSeconds: 0.85,
    jobSecondsFrom: 'measured',
  })
})

it('takes the name of a queue as it is, and refuses what can be none', async () => {
  const { get, asked } = appOf()
  await get('/v1/queues/with%20space/scale')
  await get(`/v1/queues/${encodeURIComponent('a/b')}/scale`)
  await get('/v1/queues/__proto__/scale')
  expect(asked).toEqual(['with space', 'a/b', '__proto__'])
  for (const name of ['a%3Ab', 'a%0Ab', 'a%00', 'x'.repeat(201)]) {
    const { status, text } = await get(`/v1/queues/${name}/scale`)
    expect(status).toBe(400)
    expect(JSON.parse(text)).toMatchObject({ status: 400, code: 'USAGE' })
  }
  expect(asked).toHaveLength(3)
})

it('answers 404 for a queue that is not there', async () => {
  const { get, errors } = failing(new RunnerError('QUEUE_UNKNOWN', 'there is no queue mali'))
  const { status, text } = await get('/v1/queues/mali/scale')
  expect(status).toBe(404)
  expect(JSON.parse(text)).toMatchObject({
    status: 404,
    title: 'Not Found',
    code: 'QUEUE_UNKNOWN',
    detail: 'there is no queue mali',
  })
  expect(errors).toEqual([])
})

it('answers 503 and no number, whatever keeps it from reading Redis', async () => {
  for (const error of [new RunnerError('REDIS_UNREACHABLE', 'no answer'), new Error('NOPERM no answer')]) {
    const { get, errors } = failing(error)
    const { status, text } = await get('/v1/queues/mail/scale')
    expect(status).toBe(503)
    expect(text).toContain('REDIS_UNREACHABLE')
    expect(text).not.toContain('desiredReplicas')
    expect(errors).toEqual([`mail: ${error.message}`])
  }
})

it('is ready while Redis answers and it is not told to stop, and alive in any case', async () => {
  const all = async ({ get }: ReturnType<typeof appOf>) =>
    Promise.all(['/startupz', '/readyz', '/livez'].map(async path => (await get(path)).status))
  expect(await all(appOf())).toEqual([200, 200, 200])
  expect(await all(failing(new Error('away')))).toEqual([200, 503, 200])
  expect(await all(appOf({ isStopping: true }))).toEqual([200, 503, 200])
})

it('answers numbers only where nobody can say who asks, and says why', async () => {
  const { get } = appOf()
  const { status, text } = await get('/v1/jobs/mail/1')
  expect(status).toBe(403)
  expect(JSON.parse(text)).toMatchObject({
    code: 'NO_TOKENS',
    detail: expect.stringContaining('no tokens are configured') as string,
    hint: expect.stringContaining('runner new token') as string,
  })
  expect((await get('/v1/queues/mail/scale')).status).toBe(200)
})

it('lets no browser take an answer for something else', async () => {
  const app = serviceApp({
    scale: { ping: async () => undefined, read: async () => MAIL },
    isStopping: () => false,
    onError: () => undefined,
  })
  for (const path of ['/livez', '/v1/queues/mail/scale', '/v1/nothing', '/nothing']) {
    const { headers } = await app.request(path, { headers: { origin: 'https://evil.example' } })
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-request-id': expect.stringMatching(/^[\w-]{36}$/) as string,
    })
    expect(headers.get('access-control-allow-origin')).toBeNull()
    if (path.startsWith('/v1/')) expect(headers.get('cache-control')).toBe('no-store')
  }
  const own = await app.request('/livez', { headers: { 'x-request-id': 'trace-1' } })
  expect(own.headers.get('x-request-id')).toBe('trace-1')
  const bad = await app.request('/livez', { headers: { 'x-request-id': 'a b"' } })
  expect(bad.headers.get('x-request-id')).toMatch(/^[\w-]{36}$/)
})

it('has metrics where it is given any', async () => {
  expect((await appOf().get('/metrics')).status).toBe(404)
  const app = serviceApp({
    scale: { ping: () => Promise.resolve(), read: () => Promise.resolve(MAIL) },
    isStopping: () => false,
    onError: () => undefined,
    registry: new Registry(),
  })
  expect((await app.request('/metrics')).headers.get('content-type')).toContain('text/plain')
})

it('tells how many replicas would be of use beyond the most, not beyond what the queue itself bounds', () => {
  const { facts } = MAIL
  const figuresOf = (maxReplicas: number, globalConcurrency: number | null) => {
    const rules = { ...facts.rules, maxReplicas }
    return queueFigures(estimate({ ...facts, rules, signal: { ...facts.signal, globalConcurrency } }))
  }
  expect(figuresOf(40, null)).toMatchObject({ desiredReplicas: 4, wantedReplicas: 4, maxReplicas: 40 })
  expect(figuresOf(3, null)).toMatchObject({ desiredReplicas: 3, wantedReplicas: 4, maxReplicas: 3 })
  expect(figuresOf(2, 15)).toMatchObject({ desiredReplicas: 2, wantedReplicas: 3, maxReplicas: 2 })
})

it('turns connections away beyond the most, and takes others when one has ended', async () => {
  await using listener = await listen(new Hono(), '127.0.0.1:0', 2)
  const port = Number(new URL(listener.url).port)
  const dial = async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }
  /** Whether it is answered: what is turned away ends with nothing said. */
  const isAnswered = async (socket: Awaited<ReturnType<typeof dial>>) => {
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    return Promise.race([once(socket, 'data').then(() => true), once(socket, 'close').then(() => false)])
  }
  const [first, second] = [await dial(), await dial()]
  expect([await isAnswered(first), await isAnswered(second)]).toEqual([true, true])
  expect(await isAnswered(await dial())).toBe(false)
  first.destroy()
  await expect.poll(async () => isAnswered(await dial())).toBe(true)
  second.destroy()
})
