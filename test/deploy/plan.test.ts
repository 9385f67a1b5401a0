/** What an environment of the config file becomes, and what of it is refused. */
import { describe, expect, test } from 'vitest'
import type { IScaledJob } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledJob'
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import { doubtsOf } from '../../src/deploy/doubts.ts'
import type { KubernetesObject } from '../../src/deploy/object.ts'
import { objectsOf } from '../../src/deploy/objects.ts'
import { planOf } from '../../src/deploy/plan.ts'
import type { RunnerError } from '../../src/errors.ts'
import type { JobEntry } from '../../src/job/manifest.ts'
import { configOf } from './rendered.ts'

const MINIMAL = { image: 'shop:1.0.0', namespace: 'shop' }
const job = (name: string, queue: string, own: Partial<JobEntry> = {}): JobEntry => ({
  name,
  file: `/jobs/${name}.ts`,
  kind: 'job',
  queue,
  ...own,
})
const JOBS = [job('send', 'mail'), job('sum', 'reports')]

async function plan(own: object, settings: object = {}, jobs: JobEntry[] = JOBS) {
  return planOf(await configOf({ k8s: { prod: { ...MINIMAL, ...own } }, ...settings }), 'prod', jobs)
}
const refusal = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => expect.unreachable('it was accepted'),
    ({ code, message, hint }: RunnerError) => `${code} ${message}${hint === undefined ? '' : ` | ${hint}`}`,
  )
const named = (objects: KubernetesObject[]) =>
  objects.map(({ kind, metadata }) => `${kind}/${metadata?.name}`)

describe('an image and a namespace are enough', () => {
  test('all that jobs and schedules name is worked by one group', async () => {
    const schedules = { nightly: { job: 'sum', cron: '0 3 * * *', queue: 'night' } }
    const { groups } = await plan({}, { schedules, concurrency: 4 })
    expect(groups).toMatchObject([
      {
        name: 'default',
        object: 'runner-default',
        queues: [
          { name: 'mail', concurrency: 4 },
          { name: 'night', concurrency: 4 },
          { name: 'reports', concurrency: 4 },
        ],
        grace: 25_000,
        executors: 2,
      },
    ])
  })

  test('of which come a fleet, its gateway and an autoscaler, and no account', async () => {
    expect(named(objectsOf(await plan({})))).toEqual([
      'Deployment/runner-serve',
      'PodDisruptionBudget/runner-serve',
      'Service/runner-serve',
      'Deployment/runner-default',
      'PodDisruptionBudget/runner-default',
      'ScaledObject/runner-default',
      'NetworkPolicy/runner',
      'NetworkPolicy/runner-serve',
      'PodMonitor/runner',
    ])
  })
})

describe('times', () => {
  const podOf = async (own: object, settings: object = {}) => {
    const objects = objectsOf(await plan(own, settings))
    const found = objects.find(({ metadata }) => metadata?.name === 'runner-default') as IDeployment
    return found.spec?.template.spec
  }

  test.each([
    ['the setting', {}, {}, 40],
    ['the environment', { grace: '40s' }, { grace: '5s' }, 55],
    ['the group', { grace: '40s', groups: { default: { grace: '2m' } } }, {}, 135],
    ['a part of a second counts as one', {}, { grace: '1500ms' }, 17],
    ['abort grace, beyond 10 s', {}, { abortGrace: '20s' }, 50],
  ])('grace by %s', async (_, own, settings, seconds) => {
    const pod = await podOf(own, settings)
    expect(pod?.terminationGracePeriodSeconds).toBe(seconds)
    expect(pod?.containers[0]?.args).toContain(`${Math.ceil(seconds - 15 - (seconds === 50 ? 10 : 0))}s`)
  })

  test.each([
    ['8s', 75],
    ['auto', 75],
    ['75s', 85],
    ['2m', 125],
  ])('a lock of %s leaves %d s until a restart', async (lockDuration, budget) => {
    const probe = (await podOf({}, { lockDuration }))?.containers[0]?.livenessProbe
    const { periodSeconds = 0, failureThreshold = 0, timeoutSeconds = 0 } = probe ?? {}
    expect(periodSeconds * failureThreshold + timeoutSeconds).toBe(budget)
  })
})

test('the gateway knows how many jobs a replica has at once, and logs in as one who reads', async () => {
  const own = { redis: { readerKey: 'reader' }, groups: { a: { queues: ['mail:5', 'reports'] } } }
  const [gateway] = objectsOf(await plan(own)) as IDeployment[]
  expect(gateway?.spec?.template.spec?.containers[0]?.env).toEqual([
    { name: 'REDIS_URL', valueFrom: { secretKeyRef: { name: 'runner-redis', key: 'reader' } } },
    { name: 'RUNNER_QUEUES', value: 'mail:5,reports:10' },
    { name: 'RUNNER_SCALING', value: expect.any(String) as string },
    { name: 'RUNNER_GRACE', value: '25000ms' },
  ])
})

test('the gateway has the time that its uploads may take, and gets to their store', async () => {
  const own = { gateway: { grace: '1m', secrets: ['s3'], egress: ['10.0.0.0/8:443'] } }
  const [gateway] = objectsOf(await plan(own)) as IDeployment[]
  const pod = gateway?.spec?.template.spec
  expect(pod?.terminationGracePeriodSeconds).toBe(75)
  expect(pod?.containers[0]?.envFrom).toEqual([{ secretRef: { name: 's3' } }])
  expect(pod?.containers[0]?.env).toContainEqual({ name: 'RUNNER_GRACE', value: '60000ms' })
  const policy = objectsOf(await plan(own)).find(
    ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata?.name === 'runner-serve',
  ) as INetworkPolicy
  expect(policy.spec?.egress).toContainEqual({
    to: [{ ipBlock: { cidr: '10.0.0.0/8' } }],
    ports: [{ protocol: 'TCP', port: 443 }],
  })
})

describe('Secrets', () => {
  const containersOf = async (own: object, inFile = false) => {
    const config = await configOf({ k8s: { prod: { ...MINIMAL, ...own } } })
    const objects = objectsOf(planOf({ ...config, redisInFile: inFile }, 'prod', JOBS)) as IDeployment[]
    return objects.flatMap(({ spec }) => {
      const [container] = spec?.template?.spec?.containers ?? []
      const { env = [], envFrom = [] } = container ?? {}
      const names = envFrom.map(({ secretRef }) => secretRef?.name)
      return container === undefined ? [] : [{ env: env.map(({ name }) => name), envFrom: names }]
    })
  }
  const own = { secrets: ['database'], groups: { default: { secrets: ['mail'] } } }

  test('of handlers are for replicas only', async () => {
    expect(await containersOf(own)).toEqual([
      { env: ['REDIS_URL', 'RUNNER_QUEUES', 'RUNNER_SCALING', 'RUNNER_GRACE'], envFrom: [] },
      { env: ['REDIS_URL'], envFrom: ['database', 'mail'] },
    ])
  })

  test('have no URL where the config file has the Redis, and what that logs in with for both', async () => {
    const gateway = ['RUNNER_QUEUES', 'RUNNER_SCALING', 'RUNNER_GRACE']
    expect(await containersOf({ ...own, redis: { from: 'config' } }, true)).toEqual([
      { env: gateway, envFrom: [] },
      { env: [], envFrom: ['database', 'mail'] },
    ])
    expect(await containersOf({ ...own, redis: { from: 'config', secret: 'login' } }, true)).toEqual([
      { env: gateway, envFrom: ['login'] },
      { env: [], envFrom: ['login', 'database', 'mail'] },
    ])
  })
})

describe('pods that take one job', () => {
  const jobOf = async (settings: object = {}) => {
    const own = { groups: { a: { queues: ['mail', 'reports'], kind: 'job' } } }
    const objects = objectsOf(await plan(own, settings))
    const { spec } = objects.find(({ kind }) => kind === 'ScaledJob') as IScaledJob
    const [container] = spec?.jobTargetRef.template.spec?.containers ?? []
    const args = container?.args ?? []
    return { spec, args, idle: args[args.indexOf('--idle-timeout') + 1] }
  }

  test('are started by what they would find, and do not wait for the jobs of others', async () => {
    const { spec, args } = await jobOf()
    const figures = spec?.triggers.map(
      ({ metadata }) => (metadata as Record<string, string>)['valueLocation'],
    )
    expect(figures).toEqual(['pods', 'pods'])
    expect(args.join(' ')).toContain('--max-jobs 1 --idle-timeout 30s')
    expect(args).not.toContain('--drain')
  })

  test.each([
    [{}, '30s'],
    [{ lockDuration: 'auto' }, '60s'],
    [{ lockDuration: '90s' }, '90s'],
    [{ stalledInterval: '40s' }, '80s'],
  ])(
    'with %j wait %s for one: two sweeps, which find what a lost pod left behind',
    async (settings, idle) => {
      expect((await jobOf(settings)).idle).toBe(idle)
    },
  )
})

test('without an autoscaler there are as many replicas as minReplicas', async () => {
  const objects = objectsOf(await plan({ autoscaler: 'none', groups: { default: { minReplicas: 3 } } }))
  expect(named(objects)).not.toContain('ScaledObject/runner-default')
  expect(objects.find(({ metadata }) => metadata?.name === 'runner-default')).toMatchObject({
    spec: { replicas: 3 },
  })
})

describe('refused, with the place and the fix', () => {
  test.each([
    [{ image: 'shop' }, 'prod.image: expected an image with its tag or digest'],
    [{ image: 'shop:latest' }, 'latest is another image every day'],
    [{ grups: {} }, 'prod: unknown key grups, did you mean groups?'],
    [
      { groups: { a: { maxReplica: 3 } } },
      'prod.groups.a: unknown key maxReplica, did you mean maxReplicas?',
    ],
    [{ redis: { sekret: 'x' } }, 'prod.redis: unknown key sekret, did you mean secret?'],
    [{ groups: { a: { memory: '1 gigabyte' } } }, 'prod.groups.a.memory: expected a size'],
    [{ groups: { a: { minReplicas: 5, maxReplicas: 2 } } }, 'minReplicas is more than maxReplicas'],
    [{ groups: { serve: {} } }, 'the name of the gateway'],
    [{ autoscaler: 'hpa', groups: { a: { kind: 'job' } } }, 'kind job is made by KEDA'],
    [{ autoscaler: 'hpa', groups: { a: { minReplicas: 0 } } }, 'minReplicas 0 needs KEDA'],
    [{ namespace: 'Shop' }, 'prod.namespace: expected small letters'],
    [{ groups: { a: { queues: ['a,b'] } } }, 'prod.groups.a.queues.0: expected a name, or name:concurrency'],
    [{ groups: { a: { queues: [' mail:2'] } } }, 'without a comma or a space'],
    [
      { redis: { from: 'config', readerKey: 'reader' } },
      'prod.redis.readerKey: with from config there is no URL of a Secret',
    ],
    [{ redis: { from: 'config' } }, 'prod.redis: from config, and the config file has no redis'],
  ])('%j', async (own, told) => {
    expect(await refusal(plan(own))).toContain(told)
    expect(await refusal(plan(own))).toMatch(/^CONFIG_INVALID k8s/)
  })

  test('an environment that is not there', async () => {
    const config = await configOf({ k8s: { prod: MINIMAL } })
    const asked = Promise.resolve().then(() => planOf(config, 'prd', []))
    expect(await refusal(asked)).toBe(
      'CONFIG_INVALID --env: the config file has no k8s.prd | did you mean prod?',
    )
  })

  test('two groups without queues: who works what is not to be guessed', async () => {
    expect(await refusal(plan({ groups: { a: { queues: ['mail'] }, b: {} } }))).toBe(
      'CONFIG_INVALID k8s.prod.groups.b has no queues | name its queues; the jobs have mail, reports',
    )
    expect(await refusal(plan({}, {}, []))).toMatch(/there is no job file here/)
  })

  test('a queue of the jobs that no list of queues can name', async () => {
    expect(await refusal(plan({}, {}, [job('send', 'mail,out')]))).toBe(
      'CONFIG_INVALID k8s.prod.groups.default: the queue "mail,out" of the jobs has a comma or a space | another name for it: variables of pods list queues with commas',
    )
  })

  test('a queue that an HPA cannot select', async () => {
    const made = plan({ autoscaler: 'hpa', groups: { a: { queues: ['mail@out'] } } }).then(objectsOf)
    expect(await refusal(made)).toMatch(/the queue mail@out cannot be the value of a label/)
  })
})

describe('doubts', () => {
  const doubts = async (own: object, jobs = JOBS) => doubtsOf(await plan(own, {}, jobs), jobs)

  test('none of what fits', async () => {
    expect(await doubts({})).toEqual([])
  })

  test('a queue that no group works, and one that no job names', async () => {
    expect(await doubts({ groups: { a: { queues: ['mial', 'reports'] } } })).toEqual([
      'no group works the queue mail; did you mean mial?',
      'group a: no job names the queue mial; did you mean mail?',
    ])
  })

  test('a job that may outlast the grace, and a pod that outlasts the drain of a node', async () => {
    const [first, ...others] = await doubts({}, [
      job('sum', 'mail', { timeout: 60_000 }),
      job('send', 'mail'),
    ])
    expect(first).toMatch(/^group default: sum may run for 1m, and a pod that stops waits 25s/)
    expect(others).toEqual([])
    expect(await doubts({ groups: { a: { queues: ['mail', 'reports'], grace: '15m' } } })).toEqual([
      expect.stringMatching(
        /^group a: its pods take up to 915s to stop, and a drained node waits 600s: kind: 'job'/,
      ),
    ])
  })
})
