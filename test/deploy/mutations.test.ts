/**
 * The objects that we ship are without fault to every layer, and a mistake in them is caught: one row for each, with
 * what catches it (mistakes.ts).
 */
import { beforeAll, expect, test } from 'vitest'
import type { Config } from '../../src/config.ts'
import type { KubernetesObject } from '../../src/deploy/object.ts'
import { brokenRules, schemaFaults, typeFaults } from './layers.ts'
import { objectsOf } from '../../src/deploy/objects.ts'
import { planOf } from '../../src/deploy/plan.ts'
import { MISTAKES } from './mistakes.ts'
import { bareConfig, configOf, rendered } from './rendered.ts'

/** What the example jobs name, and those of another project. */
const QUEUES: Record<string, string[]> = {
  own: ['default', 'mail', 'migrations', 'web'],
  other: ['exports', 'mail'],
}
/** All that our own environments do without. */
const OTHER = {
  image: `shop@sha256:${'0'.repeat(64)}`,
  namespace: 'shop',
  name: 'shop',
  grace: '1m',
  redis: { secret: 'redis', key: 'worker', ports: [6379, 26379] },
  env: { RUNNER_PROFILE: 'production' },
  secrets: ['shop'],
  pullSecrets: ['registry'],
  groups: {
    mail: {
      queues: ['mail:5'],
      minReplicas: 0,
      executors: 3,
      secrets: ['mail'],
      env: { NODE_ENV: 'production' },
      args: ['--max-rss', '900MiB'],
      egress: ['10.0.0.0/8:5432', '192.168.1.0/24'],
      podDeletionCost: true,
    },
    exports: { queues: ['exports:7'], kind: 'job', grace: '30m', cpu: 2.5 },
  },
  gateway: { replicas: 1 },
}

let config: Config
let sets: Record<string, KubernetesObject[]>
let types: Record<string, string[]>
beforeAll(async () => {
  config = await bareConfig()
  const other = objectsOf(planOf(await configOf({ k8s: { shop: OTHER } }), 'shop', []))
  const sound: Record<string, KubernetesObject[]> = {
    prod: await rendered('prod'),
    hpa: await rendered('hpa'),
    other,
  }
  const mutated = Object.entries(MISTAKES).map(([name, { change, in: environment = 'prod' }]) => {
    const objects = structuredClone(sound[environment] ?? [])
    change((kind, named) => {
      const found = objects.find(({ kind: one, metadata }) => one === kind && metadata?.name === named)
      return found ?? expect.unreachable(`no ${kind} ${named}`)
    })
    return [name, objects] as const
  })
  sets = { ...sound, ...Object.fromEntries(mutated) }
  types = await typeFaults(sets)
})

const isOther = (name: string) => name === 'other' || MISTAKES[name]?.in === 'other'

async function catchersOf(name: string): Promise<string[]> {
  const objects = sets[name] ?? []
  const schema = await schemaFaults(objects)
  return [
    ...(schema.length > 0 ? ['schema'] : []),
    ...((types[name] ?? []).length > 0 ? ['types'] : []),
    ...brokenRules(objects, config, QUEUES[isOther(name) ? 'other' : 'own'] ?? []),
  ]
}

test.each(['prod', 'hpa', 'other'])('what %s has is without fault', async environment => {
  expect(sets[environment]?.length).toBeGreaterThan(10)
  expect(types[environment]).toEqual([])
  expect(await schemaFaults(sets[environment] ?? [])).toEqual([])
  expect(await catchersOf(environment)).toEqual([])
})

test.each(Object.entries(MISTAKES))('%s is caught', async (name, { caughtBy }) => {
  expect(caughtBy.length).toBeGreaterThan(0)
  expect((await catchersOf(name)).sort()).toEqual([...caughtBy].sort())
})
