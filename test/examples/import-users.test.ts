/** The application of the example between browsers and a gateway that does what it may. */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'

const SERVER = fileURLToPath(new URL('../../examples/import-users/server.ts', import.meta.url))
const UPLOAD = fileURLToPath(new URL('../../examples/import-users/upload.sh', import.meta.url))

let answer: (asked: IncomingMessage, answered: ServerResponse) => unknown
let asked = 0
const gateway = createServer((incoming, outgoing) => {
  asked++
  void answer(incoming, outgoing)
})
let form: string
let stop: () => Promise<unknown>
beforeAll(async () => {
  await once(gateway.listen(0, '127.0.0.1'), 'listening')
  const { port } = gateway.address() as AddressInfo
  const env = { ...process.env, RUNNER_URL: `http://127.0.0.1:${port}`, RUNNER_TOKEN: 'rnr_secret' }
  const child = spawn(process.execPath, [SERVER, '0'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  stop = async () => child.kill() && once(child, 'exit')
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  form = `${url}users`
})
afterAll(async () => {
  await stop()
  gateway.close()
})
beforeEach(() => {
  asked = 0
})

const upload = async (headers = {}) => {
  const body = new FormData()
  body.append('users', new File(['email,name\n'], 'users.csv', { type: 'text/csv' }))
  const response = await fetch(form, { method: 'POST', body, headers })
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
}

it('hands over what a form sends, with its token, and what the gateway answers', async () => {
  let seen: unknown[] = []
  answer = async (incoming, outgoing) => {
    const { authorization, 'content-type': type } = incoming.headers
    seen = [incoming.url, authorization, type, Buffer.concat(await incoming.toArray()).toString()]
    outgoing.writeHead(202, { 'content-type': 'application/json' }).end('{"id":"7"}')
  }
  expect(await upload()).toEqual({ status: 202, type: 'application/json', text: '{"id":"7"}' })
  expect(seen).toEqual([
    '/v1/jobs/import-users',
    'Bearer rnr_secret',
    expect.stringMatching(/^multipart\/form-data; boundary=/),
    expect.stringContaining('email,name'),
  ])
})

it('says so when the gateway goes away, also after the last byte', async () => {
  answer = incoming => incoming.resume().once('end', () => incoming.socket.destroy())
  const gone = { status: 502, type: 'text/plain', text: expect.stringContaining('Upload the file again') }
  expect(await upload()).toEqual(gone)
  answer = (incoming, outgoing) =>
    incoming.resume().once('end', () => {
      outgoing.writeHead(202, { 'content-type': 'application/json', 'content-length': 10 })
      outgoing.write('{', () => outgoing.destroy())
    })
  await expect(upload()).rejects.toThrow(/terminated|fetch failed/)
  // An answer without a type, as proxies give it.
  answer = (incoming, outgoing) => incoming.resume().once('end', () => outgoing.writeHead(504).end())
  expect(await upload()).toMatchObject({ status: 504 })
})

it('hangs up on the gateway when the browser is gone', async () => {
  const cut = Promise.withResolvers<unknown>()
  const half = Promise.withResolvers<void>()
  answer = incoming =>
    incoming
      .once('data', () => half.resolve())
      .once('end', () => cut.resolve('whole'))
      .once('error', ({ message }: Error) => cut.resolve(message))
  const browser = request(form, { method: 'POST', headers: { 'content-length': 1_000 } })
  browser.on('error', () => undefined).write('half')
  await half.promise
  browser.destroy()
  expect(await cut.promise).toBe('aborted')
})

it('takes no form of another site: its token would let that in', async () => {
  expect(await upload({ 'sec-fetch-site': 'cross-site' })).toMatchObject({ status: 403 })
  expect(asked).toBe(0)
})

it('is uploaded from a shell: its hash is the key, and no argument shows the token', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'upload-'))
  const file = join(folder, 'users, old; new.csv')
  writeFileSync(file, 'email,name\n')
  let seen: unknown[] = []
  answer = async (incoming, outgoing) => {
    const { authorization, 'idempotency-key': key } = incoming.headers
    const listed = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout
    seen = [authorization, key, listed.includes('rnr_of_the_shell')]
    seen.push(Buffer.concat(await incoming.toArray()).toString())
    outgoing.writeHead(202).end('{"id":"7"}')
  }
  const { port } = gateway.address() as AddressInfo
  const env = {
    ...process.env,
    RUNNER_URL: `http://127.0.0.1:${port}`,
    RUNNER_TOKEN: 'rnr_of_the_shell',
  }
  const child = spawn(UPLOAD, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  expect((await child.stdout.toArray()).join('')).toBe('{"id":"7"}')
  expect(seen).toEqual([
    'Bearer rnr_of_the_shell',
    createHash('sha256').update('email,name\n').digest('hex'),
    false,
    expect.stringMatching(/filename="users, old; new\.csv"\r\nContent-Type: text\/csv/),
  ])
  rmSync(folder, { recursive: true })
})
