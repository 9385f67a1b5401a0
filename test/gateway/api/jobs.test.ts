/** Jobs over HTTP: added, looked at, cancelled; and everything that is refused on the way. */
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cancelled, enqueued, jobDetails, problem } from '../../../src/gateway/api/schemas.ts'
import { listen } from '../../../src/gateway/listener.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'
import { READER, SHOP, served, type AskOptions, type Served } from './served.ts'

let redis: TestRedis
let api: Served
let mail: Queue
beforeAll(async () => {
  redis = await startRedis()
  api = await served({ url: redis.url, redact: ['password'], checkWithin: 2_000 })
  mail = new Queue('mail', { connection: redis.client() })
})
afterAll(async () => {
  await mail.close()
  await api[Symbol.asyncDispose]()
  await redis.stop()
})
beforeEach(() => redis.flush())

const send = (body: unknown, options: AskOptions = {}, query = '') =>
  api.ask('POST', `/v1/jobs/emails/send${query}`, { body, ...options })
const ada = { to: 'ada@example.com' }

describe('POST /v1/jobs/{name}', () => {
  it('adds the job with the options of its file, and says where it is', async () => {
    const { status, headers, body } = await send(ada, { token: SHOP.token })
    expect(status).toBe(202)
    expect(enqueued.parse(body)).toEqual({ id: '1', name: 'emails/send', queue: 'mail', added: true })
    expect(headers.get('location')).toBe('/v1/jobs/mail/1')
    const job = await mail.getJob('1')
    expect(job).toMatchObject({ name: 'emails/send', data: ada, opts: { attempts: 3 } })
    expect(api.changes.at(-1)).toEqual({
      request: headers.get('x-request-id'),
      caller: 'shop',
      change: 'enqueued',
      queue: 'mail',
      job: 'emails/send',
      id: '1',
    })
  })

  it('takes the name encoded as well, no body for an empty payload, and options from the query', async () => {
    expect((await api.ask('POST', '/v1/jobs/emails%2Fsend', { body: ada })).status).toBe(202)
    expect((await api.ask('POST', '/v1/jobs/any')).body).toMatchObject({ queue: 'default', added: true })
    const query = '?delay=1h&priority=7&attempts=2&id=order-1&queue=default'
    expect((await send(ada, {}, query)).body).toEqual({
      id: 'order-1',
      name: 'emails/send',
      queue: 'default',
      added: true,
    })
    const other = new Queue('default', { connection: redis.client() })
    const job = await other.getJob('order-1')
    expect(job?.opts).toMatchObject({ delay: 3_600_000, priority: 7, attempts: 2 })
    expect((await send(ada, {}, query)).body).toMatchObject({ id: 'order-1', added: false })
    await other.close()
  })

  it('takes a request that says nothing of a body, as curl -X POST sends it', async () => {
    await using listener = await listen(api.app, '127.0.0.1:0')
    const socket = connect(Number(new URL(listener.url).port), '127.0.0.1')
    const head = `POST /v1/jobs/any HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SHOP.token}\r\nConnection: close\r\n\r\n`
    socket.write(head)
    expect(await text(socket)).toMatch(/^HTTP\/1.1 202 [^]*"added":true/)
  })

  it.each<[number, string, unknown, string, AskOptions, RegExp]>([
    [404, 'JOB_UNKNOWN', ada, '/v1/jobs/emails/snd', {}, /did you mean emails\/send/],
    [500, 'JOB_IMPORT_FAILED', ada, '/v1/jobs/broken', {}, /^the file of job broken does not load the log/],
    [400, 'USAGE', ada, '/v1/jobs/emails/send?prioritty=1', {}, /did you mean priority/],
    [400, 'USAGE', ada, '/v1/jobs/emails/send?priority=-1', {}, /priority: /],
    [400, 'USAGE', ada, '/v1/jobs/emails/send?delay=soon', {}, /delay: .*soon/],
    [400, 'USAGE', ada, '/v1/jobs/emails/send?id=a&id=b', {}, /id was given twice/],
    [400, 'USAGE', ada, '/v1/jobs/emails/send?id=42', {}, /no whole number as an id/],
    [400, 'USAGE', ada, '/v1/jobs/emails/send?again=true', {}, /again: emails\/send is no migration/],
    [400, 'USAGE', { shop: 'a' }, '/v1/jobs/fill?delay=1s', {}, /delay: fill is a migration/],
    [404, 'QUEUE_UNKNOWN', ada, '/v1/jobs/emails/send?queue=mial', {}, /did you mean mail/],
    [400, 'USAGE', ada, '/v1/jobs/emails/send?queue=a%3Ab', {}, /no such name/],
    [400, 'JSON_INVALID', '{"to":', '/v1/jobs/emails/send', {}, /the body is not JSON/],
    [
      415,
      'CONTENT_TYPE',
      'a=b',
      '/v1/jobs/any',
      { headers: { 'content-type': 'text/plain' } },
      /text\/plain/,
    ],
    [415, 'CONTENT_ENCODING', '{}', '/v1/jobs/any', { headers: { 'content-encoding': 'gzip' } }, /gzip/],
    [413, 'BODY_TOO_LARGE', `"${'x'.repeat(1024 * 1024)}"`, '/v1/jobs/any', {}, /1048576/],
    [422, 'ARGS_INVALID', { __proto__: null, constructor: 1 }, '/v1/jobs/any', {}, /refused/],
    [422, 'FILE_REFUSED', { deep: [{ $file: 'uploads/x' }] }, '/v1/jobs/any', {}, /stored file/],
    [422, 'FILE_REFUSED', '{"\\u0024file":"uploads/x"}', '/v1/jobs/any', {}, /stored file/],
    [
      403,
      'SCOPE_MISSING',
      ada,
      '/v1/jobs/any',
      { token: READER.token },
      /reader does not have the scope enqueue/,
    ],
    [401, 'TOKEN_INVALID', ada, '/v1/jobs/any', { token: `${SHOP.token}x` }, /not known/],
    [405, 'METHOD_NOT_ALLOWED', undefined, '/v1/jobs/any', { headers: { 'x-method': 'GET' } }, /POST is/],
  ])('%i %s', async (status, code, body, path, options, said) => {
    const method = options.headers?.['x-method'] ?? 'POST'
    const answer = await api.ask(method, path, { body, ...options })
    const told = problem.parse(answer.body)
    expect([answer.status, told.status, told.code]).toEqual([status, status, code])
    expect(`${told.detail} ${told.hint}`).toMatch(said)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(told.instance).toBe(answer.headers.get('x-request-id'))
    expect(await redis.client().dbsize()).toBe(0)
  })

  it('names every field that is wrong, and hides what is redacted', async () => {
    const { status, body } = await send({ to: 'nobody', times: 0, cc: [{ to: 'x', password: 4711 }] })
    expect(status).toBe(422)
    const { errors = [] } = problem.parse(body)
    expect(errors.map(({ path }) => path).toSorted()).toEqual(['cc[0].password', 'cc[0].to', 'times', 'to'])
    expect(errors.find(({ path }) => path === 'cc[0].password')?.value).toBe('"[Redacted]"')
  })

  it('says nothing of where a broken file lies: the log does', () => {
    expect(api.broken).toEqual(['broken JOB_IMPORT_FAILED'])
  })

  it('is answered when a schema never answers, and takes jobs again at once', async () => {
    const stuck = api.ask('POST', '/v1/jobs/stuck', { body: { spin: true } })
    expect((await stuck).body).toMatchObject({ status: 504, code: 'CHECK_TIMEOUT' })
    expect((await send(ada)).status).toBe(202)
  })
})

describe('/v1/jobs/{queue}/{id}', () => {
  it('shows a job, without what is redacted', async () => {
    await mail.add('other', { card: { password: 'secret' } }, { jobId: 'a/b' })
    const { status, body } = await api.ask('GET', '/v1/jobs/mail/a%2Fb', { token: READER.token })
    expect(status).toBe(200)
    expect(jobDetails.parse(body)).toMatchObject({ id: 'a/b', state: 'waiting', name: 'other' })
    expect(body['data']).toEqual({ card: { password: '[Redacted]' } })
  })

  it('says which of queue and job is not there, and takes no key of BullMQ for a job', async () => {
    await mail.add('other', {})
    for (const [path, code] of [
      ['/v1/jobs/mail/17', 'JOB_NOT_FOUND'],
      ['/v1/jobs/mail/meta', 'JOB_NOT_FOUND'],
      ['/v1/jobs/mail/wait', 'JOB_NOT_FOUND'],
      ['/v1/jobs/mali/1', 'QUEUE_UNKNOWN'],
      ['/v1/jobs/mali/1/events', 'QUEUE_UNKNOWN'],
    ])
      expect((await api.ask('GET', path!)).body).toMatchObject({ status: 404, code })
  })

  it('cancels a job that waits, and none that is over or that nobody has', async () => {
    const { id = '' } = await mail.add('other', {})
    const path = `/v1/jobs/mail/${id}`
    expect((await api.ask('DELETE', path, { token: READER.token })).body).toMatchObject({
      code: 'SCOPE_MISSING',
      detail: 'token reader does not have the scope operate',
    })
    const done = await api.ask('DELETE', `${path}?reason=wrong%20customer`)
    expect([done.status, cancelled.parse(done.body)]).toEqual([200, { how: 'marked' }])
    expect(await redis.client().hget(`bull:mail:${id}`, 'defa')).toBe('cancelled: wrong customer')
    expect(api.changes.at(-1)).toMatchObject({ change: 'cancelled', caller: 'admin', id, job: 'other' })
    await redis.client().hset(`bull:mail:${id}`, 'finishedOn', 1)
    expect((await api.ask('DELETE', path)).body).toMatchObject({ status: 409, code: 'JOB_STATE_WRONG' })
  })

  it('answers 504 for a job that runs where no replica has it', async () => {
    const { id = '' } = await mail.add('other', {})
    const client = redis.client()
    await client.lmove('bull:mail:wait', 'bull:mail:active', 'RIGHT', 'LEFT')
    await client.set(`bull:mail:${id}:lock`, 'somebody')
    const { status, body } = await api.ask('DELETE', `/v1/jobs/mail/${id}`)
    expect([status, body['code']]).toEqual([504, 'NO_REPLICA_ANSWERED'])
  })
})
