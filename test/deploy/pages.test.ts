/** What README.md and deploy/README.md show of a config file is taken, and comes to objects without a complaint. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { resolveConfig } from '../../src/config.ts'
import { doubtsOf } from '../../src/deploy/doubts.ts'
import { objectsOf } from '../../src/deploy/objects.ts'
import { planOf } from '../../src/deploy/plan.ts'
import { complaintsOf } from '../../src/deploy/policy.ts'
import { project } from '../helpers/project.ts'
import { REPOSITORY } from './rendered.ts'

test('the Sentinels that deploy/README.md shows are those of its pods, with one Secret for all', async () => {
  const text = readFileSync(join(REPOSITORY, 'deploy/README.md'), 'utf8')
  const [, shown] = /^```ts\n(redis: .*?)^```$/ms.exec(text) ?? []
  expect(shown).toBeDefined()
  using dir = project({ 'runner.config.mjs': `export default {${shown}}` })
  const config = await resolveConfig({ cwd: dir.dir, env: {}, flags: {} })
  expect(config.redis).toMatchObject({ name: 'main', username: 'worker' })
  const objects = objectsOf(planOf(config, 'prod', []))
  expect(complaintsOf(objects, config)).toEqual([])
  const manifest = JSON.stringify(objects)
  expect(manifest).not.toContain('REDIS_URL')
  expect(manifest.match(/"secretRef":\{"name":"runner-redis-login"\}/g)).toHaveLength(2)
  expect(manifest).toContain('{"ports":[{"protocol":"TCP","port":6379},{"protocol":"TCP","port":26379}]}')
})

const NAMED = ['default', 'exports', 'mail', 'reports']

test.each(['README.md', 'deploy/README.md'])('the environment that %s shows', async page => {
  const text = readFileSync(join(REPOSITORY, page), 'utf8')
  const [, shown] = /^```ts\n(k8s: .*?)^```$/ms.exec(text) ?? []
  expect(shown).toBeDefined()
  using dir = project({ 'runner.config.mjs': `export default {${shown}}` })
  const config = await resolveConfig({ cwd: dir.dir, env: {}, flags: {} })
  const plan = planOf(config, 'prod', [])
  expect(plan.groups.flatMap(({ queues }) => queues.map(({ name }) => name)).sort()).toEqual(NAMED)
  expect(doubtsOf(plan, [])).toEqual([])
  const objects = objectsOf(plan)
  expect(complaintsOf(objects, config)).toEqual([])
  expect(objects.filter(({ kind }) => kind.startsWith('Scaled')).map(({ kind }) => kind)).toEqual([
    'ScaledObject',
    'ScaledJob',
    'ScaledObject',
  ])
})
