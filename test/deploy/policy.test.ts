/** Manifests that somebody else wrote: what calls runner in them is found, and held against the rules. */
import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../src/config.ts'
import { readDocuments } from '../../src/deploy/documents.ts'
import { mostReplicas } from '../../src/deploy/replica-count.ts'
import { RULES, worldOf } from '../../src/deploy/policy.ts'
import { project } from '../helpers/project.ts'
import { bareConfig, configOf } from './rendered.ts'

const NAIVE = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: worker }
spec:
  replicas: 3
  selector: { matchLabels: { app: worker } }
  template:
    metadata: { labels: { app: worker } }
    spec:
      containers:
        - name: worker
          image: shop/worker
          command: [npm, run, worker]
          env: [{ name: REDIS_URL, value: 'redis://redis:6379' }]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: redis }
spec:
  selector: { matchLabels: { app: redis } }
  template:
    metadata: { labels: { app: redis } }
    spec: { containers: [{ name: redis, image: redis }] }
`

/** A Deployment without fault but for what its container has of its own. */
function worker(container: object, pod: object = {}, kind = 'Deployment'): string {
  const probe = (path: string) => ({ httpGet: { path, port: 9090 }, periodSeconds: 10, failureThreshold: 3 })
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'worker', namespace: 'shop' },
    spec: {
      selector: { matchLabels: { app: 'worker' } },
      template: {
        metadata: { labels: { app: 'worker' } },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 40,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          volumes: [{ name: 'tmp', emptyDir: {} }],
          ...pod,
          containers: [
            { name: 'proxy', image: 'envoy:1' },
            {
              name: 'worker',
              image: 'shop:1.2.3',
              args: ['work', '--http', ':9090'],
              env: [{ name: 'REDIS_URL', valueFrom: { secretKeyRef: { name: 'redis', key: 'url' } } }],
              resources: { limits: { memory: '1Gi' } },
              startupProbe: probe('/startupz'),
              readinessProbe: probe('/readyz'),
              livenessProbe: probe('/livez'),
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
              volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
              ...container,
            },
          ],
        },
      },
    },
  })
}

/** 'rule level object: actual'. */
async function complaints(text: string, settings: object = {}, queues: string[] = []): Promise<string[]> {
  const config = await configOf({ k8s: {}, ...settings })
  const world = worldOf(readDocuments(text, 'app.yaml'), config, { queues })
  return Object.entries(RULES).flatMap(([rule, { check }]) =>
    [...check(world)].map(({ level, object, actual }) => `${rule} ${level} ${object}: ${actual}`),
  )
}
const scaler = (trigger: object, more: object = {}): string =>
  JSON.stringify({
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: 'worker', namespace: 'shop' },
    spec: { scaleTargetRef: { name: 'worker' }, fallback: {}, triggers: [trigger], ...more },
  })

test('what most begin with is found, and what is no worker is left alone', async () => {
  const told = await complaints(NAIVE)
  expect(told.filter(line => line.includes('redis:'))).toEqual([])
  expect(told).toEqual(
    [
      /^queues error Deployment\/worker: nothing of the manifest runs runner work/,
      /^REDIS_URL warning Deployment\/worker: the URL of Redis is in plain text, and has no password/,
      /^references warning .* a token of the API server is mounted/,
      /^image error Deployment\/worker: shop\/worker: two replicas/,
      /^process 1 error Deployment\/worker: npm is process 1/,
      /^memory limit error Deployment\/worker: no limit/,
      /^security error .* root/,
      /^security error .* privileges/,
      /^security error .* capabilities/,
      /^security error .* image/,
      /^security error .* system calls/,
    ].map(pattern => expect.stringMatching(pattern) as string),
  )
})

describe('how runner is called', () => {
  test.each([
    ['by the entry point of its image', { args: ['work', '--http', ':9090'] }],
    ['by node', { command: ['node', 'bin/runner.js', 'work', '--http=:9090'], args: [] }],
    ['behind tini', { command: ['/usr/bin/tini', '--', 'runner'], args: ['work', '--http', ':9090'] }],
    ['by a shell that it replaces', { command: ['sh', '-c', 'exec runner work --http :9090'], args: [] }],
    [
      'with a variable of Kubernetes',
      {
        args: ['work', '--http', ':$(PORT)'],
        env: [
          { name: 'PORT', value: '9090' },
          { name: 'REDIS_URL', valueFrom: {} },
        ],
      },
    ],
    [
      'with all that it is told by variables',
      {
        args: ['work'],
        env: [
          { name: 'RUNNER_HTTP', value: ':9090' },
          { name: 'REDIS_URL', valueFrom: {} },
        ],
      },
    ],
    ['with what Secrets hold', { env: [], envFrom: [{ secretRef: { name: 'all' } }] }],
  ])('%s', async (_, container) => {
    expect(await complaints(worker(container), {}, ['default'])).toEqual([])
  })

  test('as a StatefulSet, with probes that call it', async () => {
    const exec = (word: string) => ({ exec: { command: ['runner', 'probe', word] }, failureThreshold: 3 })
    const probes = {
      livenessProbe: exec('live'),
      readinessProbe: exec('ready'),
      startupProbe: exec('startup'),
    }
    expect(await complaints(worker(probes, {}, 'StatefulSet'))).toEqual([])
    const wrong = { ...probes, livenessProbe: exec('alive') }
    expect(await complaints(worker(wrong))).toEqual([
      'probes error Deployment/worker: livenessProbe asks nothing that a replica answers',
    ])
  })

  test.each([
    ['--grace 60s', { args: ['work', '--http', ':9090', '--grace', '60s'] }],
    ['--grace=60s', { args: ['work', '--http', ':9090', '--grace=60s'] }],
    [
      'RUNNER_GRACE',
      {
        env: [
          { name: 'RUNNER_GRACE', value: '60s' },
          { name: 'REDIS_URL', valueFrom: {} },
        ],
      },
    ],
  ])('its grace is read from %s', async (_, container) => {
    const [told, ...others] = await complaints(worker(container))
    expect(told).toMatch(
      /^termination error .*Seconds 40: a replica is killed before its grace of 60s is over/,
    )
    expect(others).toEqual([])
    expect(await complaints(worker(container, { terminationGracePeriodSeconds: 75 }))).toEqual([])
  })

  test('what neither flag nor variable says is taken from the config file', async () => {
    expect(await complaints(worker({}), { grace: '1m' })).toEqual([
      expect.stringMatching(/^termination error .* grace of 60s/),
    ])
    expect(await complaints(worker({}), { lockDuration: '2m' })).toEqual([
      expect.stringMatching(/^liveness error .* restarted after 31s, and a lock lasts up to 2m/),
    ])
  })

  test('executors that may have more than the pod', async () => {
    const args = ['work', '--http', ':9090', '--executors', '4', '--executor-memory', '512MiB']
    expect(await complaints(worker({ args }))).toEqual([
      'memory limit warning Deployment/worker: 4 executors may have 2048 MiB, and the limit is 1024 MiB: the kernel ends the whole replica',
    ])
  })
})

test('a Redis of the config file is one, that of whoever asks is not', async () => {
  using dir = project({
    'runner.config.mjs':
      "export default { redis: { sentinels: [{ host: 'a', port: 26379 }], name: 'main' } }",
  })
  const faults = async (cwd: string) => {
    const config = await resolveConfig({ cwd, env: { REDIS_URL: 'redis://127.0.0.1' }, flags: {} })
    const world = worldOf(readDocuments(worker({ env: [] }), 'app.yaml'), config)
    return [...(RULES['REDIS_URL']?.check(world) ?? [])].map(({ actual }) => actual)
  }
  expect(await faults(dir.dir)).toEqual([])
  expect(await faults('/nonexistent')).toEqual([expect.stringMatching(/^no REDIS_URL: without one/)])
})

describe('queues', () => {
  const args = ['work', '--http', ':9090', '--queue', 'mail:20', '--queue', 'web']

  test('each that jobs name is worked by somebody', async () => {
    expect(await complaints(worker({ args }), {}, ['mail', 'web'])).toEqual([])
    expect(await complaints(worker({ args }), {}, ['mails', 'web'])).toEqual([
      'queues error Deployment/worker: nobody works the queue mails',
      'queues warning Deployment/worker: no job names the queue mail',
    ])
  })

  test('a trigger of KEDA that counts a list, and one of a queue that is not worked', async () => {
    const url = 'http://serve.shop.svc:9090/v1/queues/web%20out/scale'
    const list = { type: 'redis', metadata: { listName: 'bull:mail:wait', listLength: '5' } }
    const other = {
      type: 'metrics-api',
      metadata: { url, valueLocation: 'desiredReplicas', targetValue: '1' },
    }
    const service =
      '{"kind":"Service","metadata":{"name":"serve","namespace":"shop"},"spec":{"ports":[{"port":9090}]}}'
    expect(await complaints(`${worker({ args })}\n---\n${scaler(list)}`)).toEqual([
      expect.stringMatching(/^scaling warning ScaledObject\/worker: scales by the length of bull:mail:wait/),
    ])
    expect(await complaints(`${worker({ args })}\n---\n${scaler(other)}\n---\n${service}`)).toEqual([
      'scaling error ScaledObject/worker: scales by the queue web out, and Deployment/worker works mail, web',
    ])
  })
})

test('how many replicas there may be at once', async () => {
  const most = async (text: string) => {
    const documents = readDocuments(text, 'app.yaml')
    const [one] = worldOf(documents, await bareConfig()).workloads
    return one === undefined ? undefined : mostReplicas(one, documents)
  }
  expect(await most(worker({}))).toBe(2)
  expect(await most(`${worker({})}\n---\n${scaler({}, { maxReplicaCount: 40 })}`)).toBe(50)
  expect(await most(worker({}, {}, 'StatefulSet'))).toBe(1)
})

describe('a file that is none', () => {
  test.each([
    ['kind: Deployment\nmetadata:\n  name: [a', /^app\.yaml:3: /],
    ['kind: Service\nmetadata: { name: a }\n---\n- 1\n', /^app\.yaml:4: no object of Kubernetes/],
    ['kind: Service\n', /^app\.yaml:1: no object of Kubernetes: it has no kind, or no name$/],
    ['\n---\n', /^app\.yaml: there is no object in it$/],
  ])('%j', (text, told) => {
    expect(() => readDocuments(text, 'app.yaml')).toThrow(
      expect.objectContaining({ code: 'MANIFEST_INVALID', message: expect.stringMatching(told) as string }),
    )
  })

  test('a List, as kubectl prints it, is what it holds', () => {
    const list = `{"kind":"List","items":[${worker({})},{"kind":"Service","metadata":{"name":"x"}}]}`
    expect(readDocuments(list, 'stdin').map(({ object }) => object)).toEqual([
      'Deployment/worker',
      'Service/x',
    ])
  })
})
