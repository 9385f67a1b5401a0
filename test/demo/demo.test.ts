import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cleanEnv } from '../helpers/runner.ts'

const MAIN = fileURLToPath(new URL('../../demo/main.ts', import.meta.url))
/** On a machine that others use too. It takes about six seconds. */
const LONGEST = 110_000

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'demo-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// A Redis of the user's is none of the demo's business.
const demo = () =>
  spawn(process.execPath, [MAIN, folder], { env: cleanEnv({ REDIS_URL: 'redis://127.0.0.1:1' }) })

/** Processes that work in the folder of the demo. */
function left(): string[] {
  const folderOf = (pid: string) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`)
    } catch {
      return ''
    }
  }
  return readdirSync('/proc').filter(pid => /^\d+$/.test(pid) && folderOf(pid).startsWith(folder))
}

const heard = async (child: ChildProcess, what: string) => {
  let said = ''
  for await (const chunk of child.stdout!) {
    said += String(chunk)
    if (said.includes(what)) return
  }
  throw new Error(`the demo did not say ${what}, but:\n${said}`)
}

test(
  'the demo keeps its promise, says how to go on, and leaves no process',
  { timeout: LONGEST },
  async () => {
    const child = demo()
    const [said, errors, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ])
    expect({ code, errors: code === 0 ? '' : errors + said }).toEqual({ code: 0, errors: '' })
    for (const figure of ['rows migrated +50,000', 'rows touched twice +0', 'rows missed +0', 'jobs lost +0'])
      expect(said).toMatch(new RegExp(figure))
    expect(said).toContain('was killed with SIGKILL')
    expect(said).toContain('npx runner enqueue hash-tree --dir node_modules --follow')
    await expect.poll(left).toEqual([])
  },
)

test('Ctrl-C ends all of it', { timeout: LONGEST }, async () => {
  const child = demo()
  await heard(child, '$ runner enqueue')
  child.kill('SIGINT')
  const [code] = (await once(child, 'exit')) as [number | null]
  expect(code).toBe(130)
  await expect.poll(left).toEqual([])
})
