/** What `runner serve` is told of queues by the pods that it scales. */
import { describe, expect, test } from 'vitest'
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import { resolveConfig } from '../../src/config.ts'
import { objectsOf } from '../../src/deploy/objects.ts'
import { planOf } from '../../src/deploy/plan.ts'
import { configOf } from './rendered.ts'

describe('the gateway knows how many replicas a queue may have', () => {
  const scalingOf = async (groups: object, settings: object = {}) => {
    const config = await configOf({
      k8s: { prod: { image: 'shop:1', namespace: 'shop', groups } },
      ...settings,
    })
    const [gateway] = objectsOf(planOf(config, 'prod', [])) as IDeployment[]
    const env = gateway?.spec?.template.spec?.containers[0]?.env ?? []
    const value = env.find(({ name }) => name === 'RUNNER_SCALING')?.value ?? ''
    // As `runner serve` takes it.
    return (await resolveConfig({ cwd: '/nonexistent', env: { RUNNER_SCALING: value }, flags: {} })).scaling
  }

  test('by its group, or by two together', async () => {
    const a = { queues: ['mail:5', 'reports'], maxReplicas: 7 }
    const b = { queues: ['mail:5'], maxReplicas: 3 }
    expect(await scalingOf({ a, b })).toEqual({
      mail: { maxReplicas: 10, concurrency: 5 },
      reports: { maxReplicas: 7, concurrency: 10 },
    })
  })

  test('beside all that the config file says of it, and within that', async () => {
    const scaling = { mail: { maxReplicas: 2, drainTarget: '5s', concurrency: 9 }, web: { jobTime: '1m' } }
    const groups = { a: { queues: ['mail:5'], maxReplicas: 7 } }
    expect(await scalingOf(groups, { scaling })).toEqual({
      mail: { maxReplicas: 2, drainTarget: 5_000, concurrency: 5 },
      web: { jobTime: 60_000 },
    })
    expect(await scalingOf(groups, { maxReplicas: 6 })).toMatchObject({ mail: { maxReplicas: 6 } })
  })

  test('and never fewer than are wanted at least', async () => {
    await expect(
      scalingOf({ a: { queues: ['mail'], maxReplicas: 3 } }, { minReplicas: 5 }),
    ).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'k8s.prod: the queue mail wants minReplicas 5, and may have 3',
      hint: 'raise maxReplicas of its group, or lower minReplicas',
    })
  })
})
