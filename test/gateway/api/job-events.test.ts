/** Server-sent events of a job, from its state to its end. */
import { connect, type Socket } from 'node:net'
import { Queue, Worker, type Job } from 'bullmq'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { listen } from '../../../src/gateway/listener.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'
import { READER, served, type Served } from './served.ts'

let redis: TestRedis
let api: Served
let queue: Queue
let worker: Worker
let gate: PromiseWithResolvers<void>
beforeAll(async () => {
  redis = await startRedis()
  api = await served({ url: redis.url, redact: ['secret'] })
  queue = new Queue('reports', { connection: redis.client() })
  worker = new Worker(
    'reports',
    async (job: Job) => {
      await job.log('begun')
      await job.updateProgress({ done: 1, total: 2 })
      await gate.promise
      await job.log('nearly')
      if (job.name === 'bad') throw new Error('no ink')
      return { pages: 3, secret: 'x' }
    },
    { connection: redis.client(), concurrency: 5 },
  )
})
beforeEach(() => void (gate = Promise.withResolvers<void>()))
afterAll(async () => {
  await worker.close()
  await queue.close()
  await api[Symbol.asyncDispose]()
  await redis.stop()
})

interface Told {
  event?: string
  id?: string
  data?: unknown
}

async function open(id: string, headers: Record<string, string> = {}, signal?: AbortSignal) {
  const answer = await api.app.request(`http://localhost/v1/jobs/reports/${id}/events`, {
    headers: { authorization: `Bearer ${READER.token}`, ...headers },
    ...(signal !== undefined && { signal }),
  })
  return { answer, events: answer.body === null ? undefined : told(answer.body) }
}

async function* told(body: ReadableStream<Uint8Array>): AsyncGenerator<Told> {
  let text = ''
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map(line => line.split(/: (.*)/s, 2)))
      if ('event' in fields) yield { ...fields, data: JSON.parse(fields.data as string) } as Told
    }
  }
}

async function until(events: AsyncGenerator<Told>, name: string, seen: Told[]): Promise<void> {
  for (;;) {
    const { value, done } = await events.next()
    if (done === true) throw new Error(`it ended before ${name}: ${JSON.stringify(seen)}`)
    seen.push(value)
    if (value.event === name) return
  }
}

it('tells log, progress and the result, and ends; a client that comes back hears no line twice', async () => {
  const { id = '' } = await queue.add('good', {})
  const seen: Told[] = []
  const { answer, events } = await open(id)
  expect(answer.headers.get('content-type')).toContain('text/event-stream')
  expect(answer.headers.get('x-accel-buffering')).toBe('no')
  await until(events!, 'log', seen)
  expect(seen[0]?.event).toBe('state')
  expect(seen.at(-1)).toMatchObject({ id: '1', data: { line: 'begun' } })
  await events!.return(undefined)

  const back = await open(id, { 'last-event-id': '1' })
  gate.resolve()
  const rest: Told[] = []
  await until(back.events!, 'completed', rest)
  expect(rest.filter(({ event }) => event === 'log')).toMatchObject([{ id: '2', data: { line: 'nearly' } }])
  expect(rest.at(-1)).toEqual({
    event: 'completed',
    id: 'end',
    data: { result: { pages: 3, secret: '[Redacted]' } },
  })
  expect((await back.events!.next()).done).toBe(true)
  // So that an EventSource does not come again and again.
  expect((await open(id, { 'last-event-id': 'end' })).answer.status).toBe(204)
})

it('tells of a failure, also to who comes when all is over', async () => {
  gate.resolve()
  const { id = '' } = await queue.add('bad', {})
  const first: Told[] = []
  await until((await open(id)).events!, 'failed', first)
  const late: Told[] = []
  await until((await open(id)).events!, 'failed', late)
  expect(first.at(-1)?.data).toEqual({ reason: 'no ink' })
  expect(late.map(({ event }) => event)).toEqual(['state', 'log', 'log', 'failed'])
})

it('shares one connection among all who watch a queue, and gives it back with the last of them', async () => {
  const client = redis.client()
  const connections = async () =>
    String(await client.client('LIST'))
      .split('\n')
      .filter(line => line.includes('runner:enqueue-events')).length
  await expect.poll(connections, { timeout: 10_000 }).toBe(0)
  const jobs = await Promise.all(['a', 'b', 'c'].map(() => queue.add('good', {})))
  const watches = await Promise.all(jobs.map(({ id = '' }) => open(id)))
  await Promise.all(watches.map(({ events }) => until(events!, 'log', [])))
  const shared = await connections()
  expect(shared).toBeGreaterThan(0)
  expect(shared).toBeLessThanOrEqual(2)
  for (const { events } of watches) await events!.return(undefined)
  await expect.poll(connections, { timeout: 10_000 }).toBe(0)
  gate.resolve()
})

/** A client that stops to read in the middle of more than a connection holds. */
async function startsReading(url: string): Promise<Socket> {
  const job = await queue.add('good', {})
  await job.log('x'.repeat(16 * 1024 ** 2))
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const ask = `GET /v1/jobs/reports/${job.id}/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${READER.token}\r\n\r\n`
  socket.on('error', () => undefined).write(ask)
  let said = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    said += String(chunk)
    if (said.includes('xxx')) break
  }
  socket.pause()
  return socket
}

it('ends at once when the process is about to, and says so; nothing new is begun then', async () => {
  const { id = '' } = await queue.add('good', {})
  const { events } = await open(id)
  const seen: Told[] = []
  await until(events!, 'log', seen)
  await using listener = await listen(api.app, '127.0.0.1:0')
  const deaf = await startsReading(listener.url)
  expect(api.drain.running).toBe(1)
  const stopped = api.drain.stop(60_000)
  await until(events!, 'stopping', seen)
  expect((await events!.next()).done).toBe(true)
  // Who reads nothing keeps it from ending for two seconds, not for the whole grace.
  expect(await stopped).toBe(0)
  deaf.destroy()
  const late = await api.ask('GET', `/v1/jobs/reports/${id}`)
  expect([late.status, late.body['code'], late.headers.get('retry-after')]).toEqual([503, 'STOPPING', '1'])
  gate.resolve()
})
