/** What `runner check` finds in files of which each line with a finding is marked: `// here sync-call`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checkFiles } from '../../src/check/check.ts'
import { project } from '../helpers/project.ts'
import { runner } from '../helpers/runner.ts'

const root = fileURLToPath(new URL('../fixtures/check', import.meta.url))
const inRoot = (...path: string[]) => join(root, ...path)

/** 'line rule' of each mark. One at the head of a block is of the line before it. */
function marks(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, i) => {
      const [, before = '', rules] = /^(.*)\/\/ here (.*)$/.exec(text) ?? []
      const line = before.trim() === '' ? i : i + 1
      return rules === undefined ? [] : rules.split(' ').map(rule => `${line} ${rule}`)
    })
}

function found(file: string): string[] {
  const { findings } = checkFiles(['calls.ts', 'input.ts', 'loops.ts'].map(name => inRoot('jobs', name)))
  return findings
    .filter(finding => finding.file === file && finding.rule !== 'allowance')
    .map(({ line, rule }) => `${line} ${rule}`)
}

it.each([
  ['jobs', 'calls.ts'],
  ['jobs', 'input.ts'],
  ['jobs', 'loops.ts'],
  ['lib', 'totals.ts'],
])('finds what is marked in %s/%s, and nothing else', (...path) => {
  const file = inRoot(...path)
  expect(found(file).toSorted()).toEqual(marks(file).toSorted())
  expect(marks(file).length).toBeGreaterThan(0)
})

it('wants a reason for an allowance, and something that it allows', () => {
  const { findings } = checkFiles([inRoot('jobs', 'calls.ts')])
  expect(findings.filter(({ rule }) => rule === 'allowance').map(({ message }) => message)).toEqual([
    'say why: // runner-allow-sync <reason>',
    'this allows nothing: there is no finding at this line',
  ])
})

it('reads each file once, also where imports go round, and says which it cannot read', () => {
  using made = project({
    'jobs/a.mjs': `import './b.mjs'; import('../lib/c.mjs'); export default () => 1`,
    'jobs/b.mjs': `import './a.mjs'; import { x } from './none.mjs'; import 'node:fs'`,
    'lib/c.mjs': 'export const = 1',
  })
  const { files, unreadable } = checkFiles([join(made.dir, 'jobs/a.mjs')])
  expect(files.map(file => file.slice(made.dir.length + 1))).toEqual(['jobs/a.mjs', 'jobs/b.mjs'])
  expect(unreadable).toMatchObject([
    { file: join(made.dir, 'lib/c.mjs'), message: expect.stringContaining('(1:13)') },
  ])
})

describe('runner check', () => {
  it('prints a line for each finding, and exits 0; 1 with --strict', async () => {
    const { code, stdout, stderr } = await runner(['check'], { cwd: root })
    expect(stdout).toMatch(/^jobs\/calls\.ts:14:5 {2}sync-call {2}execSync\(\) holds the event loop/m)
    expect(stdout).toMatch(/^3 jobs load, 0 do not; \d+ warnings in 4 files$/m)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect((await runner(['check', '--strict'], { cwd: root })).code).toBe(1)
  })

  it('names files that do not load, and exits 2', async () => {
    using made = project({
      'jobs/bad.mjs': 'throw new Error("not today")',
      'jobs/good.mjs': 'export default () => 1',
    })
    const { code, stdout } = await runner(['check', '--json'], { cwd: made.dir })
    expect(JSON.parse(stdout)).toMatchObject({
      jobs: ['good'],
      broken: [{ name: 'bad', code: 'JOB_IMPORT_FAILED', message: expect.stringContaining('not today') }],
      findings: [],
    })
    expect(code).toBe(2)
  })
})
