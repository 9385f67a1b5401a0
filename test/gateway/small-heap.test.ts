import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

/** In a process of its own, since flags are of a process: what its young space has become after much that lived for a while. */
function youngSpace(first: string): number {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8'
    ${first}
    const held = []
    for (let i = 0; i < 1_000_000; i++) held[i % 50_000] = { i, text: [i] }
    console.log(getHeapSpaceStatistics().find(space => space.space_name === 'new_space').space_size)`
  const args = ['--no-warnings', '--input-type=module-typescript', '-e', script]
  return Number(execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' }))
}

it('the young space stays as small as it starts, and would not by itself', () => {
  const small = youngSpace(`import { keepHeapSmall } from '../../src/gateway/small-heap.ts'\nkeepHeapSmall()`)
  expect(small).toBeLessThanOrEqual(4 * 1024 ** 2)
  expect(youngSpace('')).toBeGreaterThan(8 * 1024 ** 2)
})
