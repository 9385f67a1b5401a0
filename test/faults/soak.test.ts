/** The short form of `npm run soak`, beside other tests: a host that is busy is part of it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { cleanEnv } from '../helpers/runner.ts'

const SOAK = fileURLToPath(new URL('../../bench/soak.ts', import.meta.url))

it('half a minute of random faults lose no job, run none twice at once, and leave no heap behind', async () => {
  const child = spawn(process.execPath, [SOAK, '--duration', '35s'], {
    env: cleanEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [said, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  console.log(said)
  expect(errors).toBe('')
  expect(said).toMatch(/, 0 lost, 0 double, 0 stale, 0 failed, /)
  expect(said).toMatch(/^supervisor: .* slope -?[\d.]+ MiB\/h/m)
  expect(child.exitCode, said).toBe(0)
}, 300_000)
