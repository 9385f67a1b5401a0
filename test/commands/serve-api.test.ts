/** The API of `runner serve` as a process: a form becomes a job, what is refused is refused before its body, and TERM waits. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { Queue } from 'bullmq'
import { afterAll, assert, beforeAll, expect, it, vi } from 'vitest'
import type { FileRef } from '../../src/file-ref.ts'
import { newToken } from '../../src/gateway/tokens.ts'
import { project, type Project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { startRunner, type Running } from '../helpers/runner.ts'

const SHOP = newToken()
const IMPORT = `
import { file, job } from 'bullmq-runner'
import { z } from 'zod'
export default job({
  queue: 'imports',
  args: z.object({ users: file({ types: ['text/csv'] }), count: z.int() }),
  async run() {},
})
`

let redis: TestRedis
let dir: Project
let serve: Running
let url: string
let lines: Record<string, unknown>[]
let imports: Queue
beforeAll(async () => {
  redis = await startRedis()
  const tokens = [{ name: 'shop', hash: SHOP.hash, scopes: ['enqueue', 'read'] }]
  dir = project({
    'jobs/import.ts': IMPORT,
    'runner.config.mjs': `export default ${JSON.stringify({ tokens, grace: '20s' })}`,
  })
  imports = new Queue('imports', { connection: redis.client() })
  const args = ['serve', '--redis', redis.url, '--http', ':0']
  serve = startRunner(args, { cwd: dir.dir })
  lines = []
  const reader = createInterface({ input: serve.child.stderr })
  reader.on('line', line => lines.push(JSON.parse(line) as Record<string, unknown>))
  const listening = () => lines.find(({ event }) => event === 'http.listening')
  await vi.waitFor(() => assert(listening() !== undefined), { timeout: 20_000 })
  url = String(listening()?.['url']).replace('[::]', '127.0.0.1')
  const ready = async () => assert((await fetch(`${url}/readyz`)).status === 200)
  await vi.waitFor(ready, { timeout: 20_000 })
}, 40_000)
afterAll(async () => {
  serve.child.kill('SIGKILL')
  await serve.ended
  await imports.close()
  await redis.stop()
  dir[Symbol.dispose]()
})

const authorization = `Bearer ${SHOP.token}`

function formOf(csv: string): FormData {
  const body = new FormData()
  body.set('users', new Blob([csv], { type: 'text/csv' }), '../../etc/users.csv')
  body.set('count', '2')
  return body
}

/** Files in the store. */
function stored(): string[] {
  const all = readdirSync(dir.path('.runner'), { recursive: true, withFileTypes: true })
  return all.filter(entry => entry.isFile() && entry.parentPath.includes('uploads')).map(({ name }) => name)
}

/** What comes back for `text`, until `enough`; the socket stays open. */
async function raw(text: string, enough: RegExp) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let said = ''
  socket.on('data', (chunk: Buffer) => (said += chunk.toString()))
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(text)
  await expect.poll(() => said, { timeout: 10_000 }).toMatch(enough)
  return { socket, said: () => said }
}

it('takes a form: by the 202 its file is stored and hashed, and the job is on its queue; sent again, it is done once', async () => {
  const csv = 'id,name\n1,Ada\n2,Bob\n'
  const send = () =>
    fetch(`${url}/v1/jobs/import`, {
      method: 'POST',
      headers: { authorization, 'idempotency-key': 'upload-1' },
      body: formOf(csv),
    })
  const first = await send()
  const said = (await first.json()) as { id: string }
  expect([first.status, said]).toEqual([202, { id: said.id, name: 'import', queue: 'imports', added: true }])
  const job = await imports.getJob(said.id)
  const { users, count } = job!.data as { users: FileRef; count: number }
  expect(count).toBe(2)
  expect(users).toMatchObject({
    sha256: createHash('sha256').update(csv).digest('hex'),
    bytes: csv.length,
    type: 'text/csv',
    name: 'users.csv',
  })
  expect(stored()).toHaveLength(1)
  const again = await send()
  expect([again.status, await again.json()]).toEqual([202, said])
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  // What was sent the second time is not kept.
  expect(stored()).toHaveLength(1)
  expect(await imports.getJobCountByTypes('waiting')).toBe(1)
  const wrong = await fetch(`${url}/v1/jobs/import`, {
    method: 'POST',
    headers: { authorization },
    body: (() => {
      const body = formOf(csv)
      body.set('count', 'many')
      return body
    })(),
  })
  expect([wrong.status, ((await wrong.json()) as { code: string }).code]).toEqual([422, 'ARGS_INVALID'])
  expect(stored()).toHaveLength(1)
  const metrics = await (await fetch(`${url}/metrics`)).text()
  expect(metrics).toContain('\nrunner_uploads_total{outcome="stored"} 3\n')
  expect(metrics).toContain('\nrunner_uploads_total{outcome="discarded"} 2\n')
  expect(metrics).toContain('\nrunner_uploads_active 0\n')
})

it.each([
  ['no token', '', 'application/json', 10, 401],
  ['another kind of body', `Authorization: ${authorization}\r\n`, 'text/plain', 10, 415],
  ['too much', `Authorization: ${authorization}\r\n`, 'application/json', 2_000_000, 413],
])('refuses %s before the body: no 100 is sent', async (_, header, type, length, status) => {
  const head = `POST /v1/jobs/import HTTP/1.1\r\nHost: a\r\n${header}Content-Type: ${type}\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`
  const { socket, said } = await raw(head, new RegExp(`^HTTP/1.1 ${status} [^]*"status":${status}`))
  expect(said()).not.toContain('100 Continue')
  expect(said()).toMatch(/connection: close/i)
  socket.destroy()
})

it('asks for the body of a request that may have one', async () => {
  const body = '{"users":1}'
  const head = `POST /v1/jobs/import HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`
  const { socket, said } = await raw(head, /^HTTP\/1.1 100 Continue\r\n/)
  socket.write(body)
  await expect.poll(said, { timeout: 10_000 }).toMatch(/HTTP\/1.1 422 [^]*ARGS_INVALID/)
  socket.destroy()
})

it('lets an upload end after TERM, takes nothing new meanwhile, and ends then', async () => {
  const part = `--B\r\nContent-Disposition: form-data; name="users"; filename="u.csv"\r\nContent-Type: text/csv\r\n\r\nid\n`
  const rest = `1\n\r\n--B\r\nContent-Disposition: form-data; name="count"\r\n\r\n1\r\n--B--\r\n`
  const head = `POST /v1/jobs/import HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: ${part.length + rest.length}\r\nExpect: 100-continue\r\n\r\n`
  const { socket, said } = await raw(head, /100 Continue/)
  socket.write(part)
  serve.child.kill('SIGTERM')
  await expect.poll(async () => (await fetch(`${url}/readyz`)).status, { timeout: 10_000 }).toBe(503)
  const late = await fetch(`${url}/v1/jobs/imports/1`, { headers: { authorization } })
  expect([late.status, late.headers.get('retry-after')]).toEqual([503, '1'])
  socket.write(rest)
  await expect.poll(said, { timeout: 10_000 }).toMatch(/HTTP\/1.1 202 [^]*"added":true/)
  expect(await serve.ended).toMatchObject({ code: 0, signal: null })
  expect(await imports.getJobCountByTypes('waiting')).toBe(2)
  expect(lines.find(({ event }) => event === 'http.stopping')).toMatchObject({ running: 1, grace: 20_000 })
  expect(JSON.stringify(lines)).not.toContain(SHOP.token)
  expect(lines.filter(({ event }) => event === 'api.changed')).toMatchObject([
    { caller: 'shop', change: 'enqueued', queue: 'imports', job: 'import' },
    { caller: 'shop', change: 'enqueued' },
  ])
}, 40_000)
