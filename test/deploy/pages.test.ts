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
