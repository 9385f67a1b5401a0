/** /v1/openapi.json: what it says of the jobs, and that no client of it is ever broken. */
import { readFileSync } from 'node:fs'
import { Hono } from 'hono'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { deprecations } from '../../../src/gateway/api/deprecation.ts'
import { openapiOf } from '../../../src/gateway/api/openapi.ts'
import { migrations, queues, runProgress } from '../../../src/gateway/api/schemas.ts'
import type { JobEntry } from '../../../src/job/manifest.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'
import { breakingChanges } from './breaking-changes.ts'
import { served, SHOP, type Served } from './served.ts'

type Json = Record<string, unknown>

function at(document: Json, ...path: string[]): Json {
  let found: unknown = document
  for (const part of path) found = (found as Json)[part]
  return found as Json
}

let redis: TestRedis
let api: Served
beforeAll(async () => {
  redis = await startRedis()
  api = await served({ url: redis.url, redact: ['shop'] })
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await redis.stop()
})

/** Of the routes alone; the version is that of the package. */
function own(): Record<string, unknown> {
  const { info, ...rest } = openapiOf([]) as { info: object }
  return { ...rest, info: { ...info, version: '1' } }
}

it('is as docs/openapi.json says: where it may change, vitest -u writes it anew', async () => {
  await expect(`${JSON.stringify(own(), null, 2)}\n`).toMatchFileSnapshot('../../../docs/openapi.json')
})

it('breaks no client of /v1 as it was first published', () => {
  const first = readFileSync(new URL('../../fixtures/openapi/v1.json', import.meta.url), 'utf8')
  expect(breakingChanges(JSON.parse(first) as Record<string, unknown>, own())).toEqual([])
})

it('finds what would break one', () => {
  const changed = (change: (document: Json) => void) => {
    const document = structuredClone(own())
    change(document)
    return breakingChanges(own(), document)
  }
  expect(changed(() => undefined)).toEqual([])
  expect(changed(document => delete at(document, 'paths')['/v1/queues'])).toEqual(['GET /v1/queues: gone'])
  expect(changed(document => delete at(document, 'paths', '/v1/jobs/{queue}/{id}')['delete'])).toEqual([
    'DELETE /v1/jobs/{queue}/{id}: gone',
  ])
  const figures = (document: Json) => at(document, 'components', 'schemas', 'Queues', 'items')
  expect(changed(document => delete at(figures(document), 'properties')['oldest'])).toEqual([
    'GET /v1/queues: answer 200[].oldest is gone',
  ])
  const required = (document: Json) => figures(document)['required'] as string[]
  expect(changed(document => required(document).shift())).toEqual([
    'GET /v1/queues: answer 200[].queue may be missing',
  ])
  const fields = (document: Json) => at(document, 'components', 'schemas', 'Job', 'properties')
  expect(changed(document => (fields(document)['logs'] = { type: 'string' }))).toEqual([
    'GET /v1/jobs/{queue}/{id}: answer 200.logs is string, and was integer',
  ])
  const parameters = (document: Json) =>
    at(document, 'paths', '/v1/jobs/{name}', 'post')['parameters'] as Json[]
  expect(changed(document => parameters(document).pop())).toEqual([
    'POST /v1/jobs/{name}: parameter query again is gone',
  ])
  const demand = (name: string) => (document: Json) => {
    for (const one of parameters(document)) if (one['name'] === name) one['required'] = true
  }
  expect(changed(demand('delay'))).toEqual(['POST /v1/jobs/{name}: parameter query delay is required'])
  // What is added breaks nobody.
  expect(changed(document => (fields(document)['more'] = { type: 'string' }))).toEqual([])
})

it('has a path for each job, with the schema of its payload', async () => {
  const { status, body } = await api.ask('GET', '/v1/openapi.json', { token: SHOP.token })
  expect(status).toBe(200)
  const post = at(body, 'paths', '/v1/jobs/emails/send', 'post')
  expect(post).toMatchObject({ operationId: 'enqueue_job.emails_send', summary: 'Sends one mail' })
  expect(at(post, 'requestBody', 'content', 'application/json')).toEqual({
    schema: { $ref: '#/components/schemas/job.emails_send' },
  })
  const text = JSON.stringify(body)
  const refs = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path)
  expect(refs.some(path => path.includes('job.emails_send/$defs/person'))).toBe(true)
  // Each of them leads to something.
  for (const path of refs) expect(at(body, ...path.split('/')), path).toBeDefined()
  expect(Object.keys(at(body, 'paths'))).not.toContain('/v1/jobs/broken')
})

it('describes a job with files as a form', () => {
  const entry: JobEntry = {
    name: 'import',
    file: '',
    kind: 'job',
    queue: 'default',
    schema: {
      type: 'object',
      properties: { users: { type: 'object' }, shop: { type: 'string' } },
      required: ['users'],
    },
    files: { users: { types: ['text/csv'] } },
  }
  expect(at(openapiOf([entry]), 'paths', '/v1/jobs/import', 'post', 'requestBody', 'content')).toEqual({
    'multipart/form-data': {
      schema: {
        type: 'object',
        properties: {
          users: { type: 'string', format: 'binary', contentMediaType: 'text/csv' },
          shop: { type: 'string' },
        },
        required: ['users'],
      },
    },
  })
})

it('begins the run of a migration as runner enqueue does, once, and lists it', async () => {
  const send = () => api.ask('POST', '/v1/jobs/fill?reason=audit', { body: { shop: 'a' } })
  const { status, body, headers } = await send()
  expect(status).toBe(202)
  const { run } = body as { run: string }
  expect(body).toEqual({ run, name: 'fill', queue: 'migrations', enrolment: 'new', added: true })
  expect(headers.get('location')).toBe(`/v1/migrations/${run}`)
  // It is rung for.
  expect(await redis.client().lrange('bull:migrations:wait', 0, -1)).toHaveLength(1)
  expect((await send()).body).toMatchObject({ run, enrolment: 'running', added: false })

  const list = await api.ask('GET', '/v1/migrations?name=fill')
  const [first] = migrations.parse(list.body)
  expect(first).toMatchObject({ id: run, requestedBy: 'admin', reason: 'audit', state: 'planning' })
  expect(JSON.parse(first!.args)).toEqual({ shop: '[Redacted]' })
  const one = await api.ask('GET', headers.get('location')!)
  expect(z.strictObject(runProgress.shape).parse(one.body).run.id).toBe(run)
  expect((await api.ask('GET', '/v1/migrations/none')).body).toMatchObject({
    status: 404,
    code: 'MIGRATION_UNKNOWN',
  })
  const figures = queues.parse((await api.ask('GET', '/v1/queues')).body)
  expect(figures).toMatchObject([{ queue: 'migrations', waiting: 1 }])
})

it('says of what is to go since when, until when, and what comes instead', async () => {
  const table = [
    {
      method: 'GET',
      path: /^\/v1\/old$/,
      since: Date.UTC(2027, 0, 1),
      sunset: Date.UTC(2027, 6, 1),
      link: 'https://example.com/changes',
      successor: '/v2/new',
    },
  ]
  const app = new Hono().use(deprecations(table)).get('*', c => c.text('ok'))
  const { headers } = await app.request('/v1/old')
  expect(headers.get('deprecation')).toBe('@1798761600')
  expect(headers.get('sunset')).toBe('Thu, 01 Jul 2027 00:00:00 GMT')
  expect(headers.get('link')).toBe(
    '<https://example.com/changes>; rel="deprecation"; type="text/html", </v2/new>; rel="successor-version"',
  )
  expect((await app.request('/v1/new')).headers.has('deprecation')).toBe(false)
})
