/** Against a server that plays the API server: HTTPS with a certificate of its own, a token that is renewed. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { DeletionCost, deletionCost } from '../../src/fleet/deletion-cost.ts'
import { OwnPod } from '../../src/fleet/own-pod.ts'
import { startRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

interface Patch {
  line: string
  token: string | undefined
  type: string | undefined
  body: unknown
}

const WAIT = { timeout: 60_000 }

let folder: string
let server: Server
let env: Record<string, string>
let status = 200
let patches: Patch[] = []
/** What of them was taken. */
let costs: (string | undefined)[] = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'service-account-'))
  const file = (name: string) => join(folder, name)
  const subject = ['-subj', '/CN=kubernetes', '-addext', 'subjectAltName=IP:127.0.0.1']
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file('key')]
  execFileSync('openssl', ['req', '-x509', ...key, '-out', file('ca.crt'), '-days', '1', ...subject], {
    stdio: 'ignore',
  })
  writeFileSync(file('token'), 'first\n')
  writeFileSync(file('namespace'), 'team')
  server = createServer(
    { key: readFileSync(file('key')), cert: readFileSync(file('ca.crt')) },
    (asked, answer) => {
      void text(asked).then(body => {
        const { authorization: token, 'content-type': type } = asked.headers
        if (status === 200) costs.push(costIn(body))
        patches.push({ line: `${asked.method} ${asked.url}`, token, type, body: JSON.parse(body) })
        answer
          .writeHead(status)
          .end(status === 200 ? '{}' : '{"kind":"Status","message":"pods \\"p\\" is forbidden"}')
      })
    },
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = String((server.address() as AddressInfo).port)
  env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: port, POD_NAME: 'worker-1' }
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})
afterEach(() => {
  status = 200
  patches = []
  costs = []
})

const pod = (more: Record<string, string> = {}) => OwnPod.of({ ...env, ...more }, folder) as OwnPod
function costIn(body: string): string | undefined {
  const { metadata } = JSON.parse(body) as { metadata: { annotations: Record<string, string> } }
  return metadata.annotations['controller.kubernetes.io/pod-deletion-cost']
}

it('costs nothing when idle, and the more the longer the oldest run is, in few steps', () => {
  const now = Date.now()
  const ago = (...seconds: number[]) =>
    deletionCost(
      seconds.map(s => ({ startedAt: now - s * 1_000 })),
      now,
    )
  expect(ago()).toBe(0)
  expect([0, 14, 15, 29, 30, 59, 60, 3_600].map(s => ago(s))).toEqual([10, 10, 25, 25, 40, 40, 70, 1930])
  expect(ago(3, 70, 20)).toBe(70)
  // It waits for an executor.
  expect(deletionCost([{ startedAt: 0 }], now)).toBe(10)
  expect(ago(86_400)).toBe(ago(864_000))
})

it('patches its own pod with the token of its service account, which is read each time', async () => {
  await pod().annotate({ a: '1' })
  writeFileSync(join(folder, 'token'), 'second')
  await pod({ POD_NAMESPACE: 'other' }).annotate({ a: '2' })
  expect(patches).toEqual([
    {
      line: 'PATCH /api/v1/namespaces/team/pods/worker-1',
      token: 'Bearer first',
      type: 'application/merge-patch+json',
      body: { metadata: { annotations: { a: '1' } } },
    },
    expect.objectContaining({ line: 'PATCH /api/v1/namespaces/other/pods/worker-1', token: 'Bearer second' }),
  ])
})

it('says what the API server said', async () => {
  status = 403
  await expect(pod().annotate({})).rejects.toThrow('answers 403 for pod worker-1: pods "p" is forbidden')
})

it('trusts no other certificate than that of the cluster', async () => {
  const other = mkdtempSync(join(tmpdir(), 'service-account-'))
  const [key, ca] = [join(other, 'key'), join(other, 'ca.crt')]
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', ca, '-subj', '/CN=x'],
    {
      stdio: 'ignore',
    },
  )
  for (const file of ['token', 'namespace']) writeFileSync(join(other, file), 'team')
  await expect((OwnPod.of(env, other) as OwnPod).annotate({})).rejects.toThrow('certificate')
  expect(patches).toEqual([])
  rmSync(other, { recursive: true })
})

it('is no pod outside of Kubernetes', () => {
  expect(OwnPod.of({ POD_NAME: 'worker-1' })).toBeUndefined()
})

it('tells a change and nothing else, is refused with one word, and tells it once it may', async () => {
  const runs = new Set<{ startedAt: number }>()
  const errors: string[] = []
  using _ = new DeletionCost({ pod: pod(), runs, onError: message => errors.push(message), every: 20 })
  const run = { startedAt: Date.now() }
  runs.add(run)
  await expect.poll(() => costs, WAIT).toEqual(['10'])
  runs.delete(run)
  await expect.poll(() => costs, WAIT).toEqual(['10', '0'])
  status = 403
  runs.add({ startedAt: Date.now() - 20_000 })
  await expect.poll(() => patches.length, WAIT).toBeGreaterThan(5)
  expect(errors).toEqual([
    'the deletion cost of this pod cannot be set: the API server answers 403 for pod worker-1: pods "p" is forbidden',
  ])
  status = 200
  await expect.poll(() => costs, WAIT).toEqual(['10', '0', '25'])
  // Told: only the next change is told again.
  runs.clear()
  await expect.poll(() => costs, WAIT).toEqual(['10', '0', '25', '0'])
})

it('tells once that it is idle: the pod may have the cost of a container before this one', async () => {
  let looks = 0
  const runs = {
    [Symbol.iterator]() {
      looks++
      return [].values()
    },
  }
  const onError = () => expect.unreachable()
  using _ = new DeletionCost({ pod: pod(), runs, onError, every: 20 })
  await expect.poll(() => costs, WAIT).toEqual(['0'])
  const seen = looks
  await expect.poll(() => looks, WAIT).toBeGreaterThan(seen + 3)
  expect(costs).toEqual(['0'])
})

it('is no reason not to work outside of Kubernetes', async () => {
  await using redis = await startRedis()
  const args = ['--pod-deletion-cost', '--executors', '1']
  await using replica = await Replica.start({ redis, args, env: { KUBERNETES_SERVICE_HOST: '' } })
  const { message } = await replica.event('worker.error')
  expect(message).toContain('this is no pod of Kubernetes')
  replica.kill('SIGTERM')
  expect((await replica.ended).code).toBe(0)
})
