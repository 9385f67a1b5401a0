import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

it('ends by itself with every row migrated once and no job lost', () => {
  const output = execFileSync(process.execPath, [join(import.meta.dirname, '../../demo/main.ts')], {
    encoding: 'utf8',
    timeout: 120_000,
  })
  expect(output).toMatch(/rows migrated\s+50,000\n\s+rows touched twice\s+0\n\s+rows missed\s+0\n/)
  expect(output).toMatch(/jobs enqueued\s+201\n\s+jobs lost\s+0\n/)
}, 120_000)
