/** The whole of it, as it is deployed: a Redis, the web application, a replica of the fleet; asked over HTTP. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { findServerBinary } from '../../../src/redis/server-binary.ts'

/** Far more than it takes: only a busy machine comes near it. */
const DEADLINE = 180_000
const started: ChildProcess[] = []
const dir = mkdtempSync(join(tmpdir(), 'nestjs-example-'))
let url: string
let replica: ChildProcess

/** Resolves with the first line that matches. What it says otherwise is shown when it ends before. */
async function start(
  program: string,
  args: string[],
  env: object,
  line: RegExp,
): Promise<[ChildProcess, string]> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  started.push(child)
  let said = ''
  const found = Promise.withResolvers<string>()
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', text => {
      said += `${text}\n`
      if (line.test(text)) found.resolve(text)
    })
  child.once('exit', code =>
    found.reject(new Error(`${program} ${args.join(' ')} ended with ${code}:\n${said}`)),
  )
  child.once('error', found.reject)
  const late = delay(DEADLINE, undefined, { ref: false }).then(() => {
    throw new Error(`${program} ${args.join(' ')} did not start:\n${said}`)
  })
  return [child, await Promise.race([found.promise, late])]
}

before(async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const redis = findServerBinary()?.path ?? 'redis-server'
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    dir,
    '--maxmemory-policy',
    'noeviction',
  ]
  await start(redis, [...args, '--save', ''], {}, /Ready to accept connections/)
  const env = { REDIS_URL: `redis://127.0.0.1:${port}`, PORT: '0' }
  const work = ['work', '--nest', './dist/app.module.js', '--executors', '1', '--log-level', 'info']
  const both = await Promise.all([
    start(process.execPath, ['dist/main.js'], env, /^listening at /),
    start('node_modules/.bin/runner', work, env, /fleet\.started/),
  ])
  url = both[0][1].replace('listening at ', '')
  replica = both[1][0]
})

after(async () => {
  for (const child of started.toReversed()) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  rmSync(dir, { recursive: true })
})

async function post(
  path: string,
  body: object,
): Promise<{ status: number; answer: { id: string; message?: unknown } }> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, answer: await response.json() }
}

/** Once it is there: the listener of the application has heard of it. */
async function get(
  path: string,
  enough = (value: unknown): boolean => value !== undefined,
): Promise<unknown> {
  for (const deadline = Date.now() + DEADLINE; Date.now() < deadline; await delay(20)) {
    const response = await fetch(url + path)
    const value: unknown = await response.json()
    if (response.ok && enough(value)) return value
  }
  throw new Error(`nothing at ${path}`)
}

test('a request adds a job by its contract, the fleet runs it, the application hears of the result', async () => {
  const { status, answer } = await post('/emails', { to: 'ada@example.com' })
  assert.equal(status, 201)
  const outcome = (await get(`/emails/${answer.id}`)) as { result: { sent: string; pid: number } }
  assert.deepEqual(outcome, {
    state: 'completed',
    result: { sent: `welcome for ada@example.com (mail:${answer.id})`, pid: replica.pid },
  })
  const audit = (await get('/audit', value => (value as string[]).length > 1)) as string[]
  assert.deepEqual(audit, ['mail to ada@example.com', 'job 1 is done'])
})

test('what the contract refuses is not added', async () => {
  const { status, answer } = await post('/emails', { to: 'ada' })
  assert.equal(status, 400)
  assert.match(JSON.stringify(answer), /"path":"to"/)
})

test('jobs of @nestjs/bullmq alone are run too, by name', async () => {
  const { answer } = await post('/clean-ups', { olderThan: 30 })
  assert.deepEqual(await get(`/emails/${answer.id}`), {
    state: 'completed',
    result: { cleaned: { olderThan: 30 } },
  })
})

test('a flow of a FlowProducer is run, children first', async () => {
  const { answer } = await post('/reports', { tables: ['users', 'orders'] })
  assert.deepEqual(await get(`/reports/${answer.id}`), { state: 'completed', result: { rows: 11 } })
})

test('the fleet is seen to be healthy', async () => {
  const health = (await get('/health')) as { runner: { status: string; replicas: object } }
  assert.equal(health.runner.status, 'up')
  assert.deepEqual(health.runner.replicas, { mail: 1, reports: 1 })
})

test('there is one copy of bullmq, and CommonJS gets the package too', async () => {
  assert.equal(existsSync('node_modules/bullmq-runner/node_modules/bullmq'), false)
  const lock = readFileSync('package-lock.json', 'utf8')
  assert.equal(lock.match(/"(?:.*\/)?node_modules\/bullmq": \{/g)?.length, 1)
  const script = "console.log(typeof require('bullmq-runner/nestjs').JobHandler)"
  const child = spawn(process.execPath, ['--input-type=commonjs', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  assert.equal(said.toString().trim(), 'function')
})

test('the replica is stopped, and ends in good order', async () => {
  const ended = once(replica, 'exit')
  replica.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
})
