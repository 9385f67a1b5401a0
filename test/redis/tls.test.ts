/** Redis behind TLS with a certificate of a private authority: both ways to name that, and what is said without it. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { untilState } from '../helpers/fleet.ts'
import { project } from '../helpers/project.ts'
import { freePort, startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { session } from '../helpers/session.ts'
import { failure, open } from './open.ts'

let folder: string
let redis: TestRedis
let port: number

const file = (name: string) => join(folder, name)

function openssl(line: string): void {
  execFileSync('openssl', line.split(' '), { cwd: folder, stdio: 'pipe' })
}

/** An authority, and the key and certificate of a server called localhost that it has signed. */
function certify(name: string): void {
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
  openssl(`req -x509 ${key} -days 1 -subj /CN=${name} -keyout ${name}.key -out ${name}.pem`)
  openssl(
    `req ${key} -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout ${name}-server.key -out ${name}.csr`,
  )
  openssl(
    `x509 -req -in ${name}.csr -CA ${name}.pem -CAkey ${name}.key -CAcreateserial -days 1 -copy_extensions copy -out ${name}-server.pem`,
  )
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tls-'))
  certify('ours')
  certify('theirs')
  port = await freePort()
  const certificate = ['--tls-cert-file', file('ours-server.pem'), '--tls-key-file', file('ours-server.key')]
  const authority = ['--tls-ca-cert-file', file('ours.pem'), '--tls-auth-clients', 'no']
  redis = await startRedis({ args: ['--tls-port', String(port), ...certificate, ...authority] })
})
afterAll(async () => {
  await redis.stop()
  rmSync(folder, { recursive: true, force: true })
})

it('runs jobs with the authority in the config file', async () => {
  using app = project({
    'runner.config.ts': `
      import { readFileSync } from 'node:fs'
      const ca = readFileSync(${JSON.stringify(file('ours.pem'))})
      export default { redis: { host: 'localhost', port: ${port}, tls: { ca } } }`,
    'jobs/ok.ts': `export default () => 'fine'`,
  })
  const args = ['--executors', '1', '--queue', 'default']
  await using replica = await Replica.start({ redis: {}, jobs: 'jobs', cwd: app.dir, args })
  const [said] = await session([['enqueue', 'ok', '--id', 'one']], { cwd: app.dir })
  expect(said).toMatchObject({ code: 0, stderr: '', stdout: 'enqueued ok one on queue default\n' })
  const queue = new Queue('default', { connection: redis.client() })
  expect(await untilState(queue, 'one')).toMatchObject({ state: 'completed', returnvalue: 'fine' })
  expect((await replica.event('fleet.started'))['redis']).toBe(`rediss://localhost:${port}`)
  // All of its connections: a plain one would be to the other port.
  const connected = String(await redis.client().client('LIST'))
  const names = [...connected.matchAll(/laddr=127\.0\.0\.1:(\d+) .*name=runner:/g)].map(([, to]) =>
    Number(to),
  )
  expect(names.length).toBeGreaterThan(0)
  expect(new Set(names)).toEqual(new Set([port]))
})

it('enqueues with the authority in NODE_EXTRA_CA_CERTS', async () => {
  using app = project({})
  const lines = [['enqueue', 'any', '--no-schema', '--queue', 'q', '--redis', `rediss://localhost:${port}`]]
  const env = { NODE_EXTRA_CA_CERTS: file('ours.pem') }
  const [said] = await session(lines, { cwd: app.dir, env })
  expect(said).toMatchObject({ code: 0, stderr: '' })
})

it('refuses a certificate of another authority, or for another name, at once and for good', async () => {
  const start = performance.now()
  const wrong = { host: 'localhost', port, tls: { ca: readFileSync(file('theirs.pem')) } }
  const signed = await failure(open(wrong))
  expect(signed.code).toBe('REDIS_UNREACHABLE')
  expect(signed.message).toMatch(/^Redis at rediss:\/\/localhost:\d+ cannot be reached: .*certificate/)
  expect(signed.hint).toContain('set NODE_EXTRA_CA_CERTS, or `tls: { ca }` in the config file')
  const named = await failure(
    open({ ...wrong, host: '127.0.0.1', tls: { ca: readFileSync(file('ours.pem')) } }),
  )
  expect(named.code).toBe('REDIS_UNREACHABLE')
  expect(named.message).toContain("IP: 127.0.0.1 is not in the cert's list")
  expect(performance.now() - start).toBeLessThan(5_000)
})

it('says what may be wrong to one who speaks no TLS there', async () => {
  const error = await failure(open(`redis://localhost:${port}`))
  expect(error.code).toBe('REDIS_UNREACHABLE')
  expect(error.hint).toContain('may want TLS: write rediss://')
})

it('says aloud that a certificate is not checked', async () => {
  await using handle = await open({ host: 'localhost', port, tls: { rejectUnauthorized: false } })
  expect(handle.warnings.join('\n')).toMatch(/certificate is not checked .* fix: tls: \{ ca \}/)
})
