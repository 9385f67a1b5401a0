import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Replica } from '../helpers/replica.ts'
import { type Examples, examples } from './examples.ts'

/** Answers by path; the n-th request of a path gets its n-th answer, and after those the last one. */
const ANSWERS: Record<string, { status: number; headers?: Record<string, string>; body?: string }[]> = {
  '/busy': [
    { status: 429, headers: { 'retry-after': '1' } },
    { status: 200, body: 'hello' },
  ],
  '/down': [{ status: 500 }],
  '/gone': [{ status: 404 }],
}
const times = new Map<string, number[]>()
const hanging = Promise.withResolvers<IncomingMessage>()

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? ''
  const seen = times.get(path) ?? []
  times.set(path, [...seen, performance.now()])
  const answers = ANSWERS[path]
  // Never answered.
  if (answers === undefined) return hanging.resolve(request)
  const { status, headers, body } = answers[Math.min(seen.length, answers.length - 1)]!
  response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(body)
}

const server = createServer(answer)
let fleet: Examples
let replica: Replica
const at = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  fleet = await examples()
  replica = await fleet.replica('--grace', '100ms')
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await fleet[Symbol.asyncDispose]()
})

test('429 is tried again when the server says, then the page is there', async () => {
  const { code, stdout } = await fleet.enqueue('fetch-page', '--url', at('/busy'), '--wait')
  expect(code).toBe(0)
  // printf hello | sha256sum
  const sha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
  expect(JSON.parse(stdout)).toEqual({ status: 200, type: 'text/plain', bytes: 5, sha256 })
  const [first = 0, second = 0] = times.get('/busy')!
  expect(second - first).toBeGreaterThanOrEqual(990)
})

test('500 uses up the attempts, 404 is not tried again', async () => {
  const [down, gone] = await Promise.all([
    fleet.enqueue('fetch-page', '--url', at('/down'), '--attempts', '2', '--wait'),
    fleet.enqueue('fetch-page', '--url', at('/gone'), '--wait'),
  ])
  expect(down).toMatchObject({ code: 5, stderr: expect.stringContaining('/down answered 500') as string })
  expect(gone).toMatchObject({ code: 5, stderr: expect.stringContaining('/gone answered 404') as string })
  expect([times.get('/down')?.length, times.get('/gone')?.length]).toEqual([2, 1])
})

test('at the deadline of a shutdown the request is given up, and its job waits again', async () => {
  await fleet.enqueue('fetch-page', '--url', at('/never'), '--id', 'never')
  const request = await hanging.promise
  const closed = once(request.socket, 'close')
  replica.kill('SIGTERM')
  expect(await replica.ended).toMatchObject({ code: 75 })
  await closed
  const job = await fleet.job('web', 'never')
  expect([await job.getState(), job.attemptsMade]).toEqual(['waiting', 0])
})
