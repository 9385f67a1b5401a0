import { expect, it } from 'vitest'
import { ownerOf } from '../../../src/commands/schedules/owner.ts'
import { resolveConfig } from '../../../src/config.ts'
import { project } from '../../helpers/project.ts'

async function owner(files: Record<string, string>, env: Record<string, string> = {}): Promise<string> {
  using dir = project(files)
  return ownerOf(await resolveConfig({ cwd: dir.dir, env, flags: {} }))
}

it('is the name in package.json, unless another is said', async () => {
  const named = { 'package.json': '{"name":"shop"}' }
  expect(await owner(named)).toBe('shop')
  expect(await owner({ ...named, 'runner.config.mjs': 'export default { scheduleOwner: "mail" }' })).toBe(
    'mail',
  )
  expect(await owner(named, { RUNNER_SCHEDULE_OWNER: 'billing' })).toBe('billing')
  expect(await owner({ 'package.json': '{}' })).toBe('runner')
})
