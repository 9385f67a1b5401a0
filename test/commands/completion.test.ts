/** As shells ask for it: the protocol, its deadline, and bash and zsh as they are typed into. */
import { existsSync } from 'node:fs'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { project, type Project } from '../helpers/project.ts'
import { startRedis } from '../helpers/redis.ts'
import { runner, type Ended } from '../helpers/runner.ts'
import { hasShell, typeInto } from '../helpers/typed-shell.ts'

let dir: Project
beforeAll(() => {
  dir = project({ 'jobs/hello.mjs': 'export default () => 1', 'jobs/other.mjs': 'export default () => 1' })
})
afterAll(() => dir[Symbol.dispose]())

const NOTHING = { code: 0, signal: null, stdout: ':4\n', stderr: '' }
const ask = (words: string[], cwd = dir.dir, nodeFlags: string[] = []): Promise<Ended> =>
  runner(['complete', '--', ...words], { cwd, nodeFlags })

describe('an answer', () => {
  test('has a line for each candidate, and loads nothing that a verb needs only to run', async () => {
    const print = '(name, context, next) => (console.error(name), next(name, context))'
    const trace = `data:text/javascript,import { registerHooks } from 'node:module'; registerHooks({ resolve: ${print} })`
    const { stdout, stderr } = await ask(['work', '--all'], dir.dir, ['--import', trace])
    expect(stdout).toMatch(/^--allow-broken\t.*RUNNER_ALLOW_BROKEN.*\n:4\n$/)
    expect(stderr).toContain('commander')
    expect(stderr).not.toMatch(/bullmq\n|ioredis|pino|supervisor/)
  })

  test('is empty where the config file does not load, and where no Redis is known: none is started', async () => {
    using other = project({ 'runner.config.mjs': 'throw new Error("boom")' })
    expect(await ask(['enqueue', ''], other.dir)).toEqual(NOTHING)
    expect(await ask(['doctor', ''])).toEqual(NOTHING)
    expect(existsSync(dir.path('.runner'))).toBe(false)
  })

  test('holds no name that a shell would not take as it is; and a Redis that hangs is not waited for', async () => {
    await using redis = await startRedis()
    const connection = redis.client()
    for (const name of ['mail', '$(touch pwned)', 'a`b`', 'two words', '=ls', '{tag}-q'])
      await new Queue(name, { connection }).add('hello', {})
    const words = ['--redis', redis.url, 'doctor', '']
    // On a machine that is busy it may take longer than anybody is made to wait.
    await expect.poll(() => ask(words)).toMatchObject({ stdout: 'mail\t\n{tag}-q\t\n:4\n', stderr: '' })
    redis.freeze()
    const start = performance.now()
    expect(await ask(words)).toEqual(NOTHING)
    // A command would wait for five seconds, and then say so.
    expect(performance.now() - start).toBeLessThan(4_500)
    redis.thaw()
  })
})

/** A verb, the value of a flag, and the name of a setting, none of them typed to its end. */
const KEYS = 'runner conf\t--isolation=pr\tisola\t\nexit\n'
/** What that prints. The line itself ends otherwise. */
const DONE = /[^=]process\r?\n/

describe('typed into', () => {
  test('bash', async () => {
    const keys = `eval "$(runner completion bash)"\n${KEYS}`
    expect(await typeInto(['bash', '--norc', '--noprofile', '-i'], keys, dir.dir)).toMatch(DONE)
  })

  test.skipIf(!hasShell('zsh'))('zsh', async () => {
    const keys = `autoload -Uz compinit && compinit -u\nsource <(runner completion zsh)\n${KEYS}`
    expect(await typeInto(['zsh', '-f', '-i'], keys, dir.dir)).toMatch(DONE)
  })
})

test('a script for each shell, that only the shells that are known have', async () => {
  const { stdout } = await runner(['completion', 'fish', '--json'], { cwd: dir.dir })
  expect(JSON.parse(stdout)).toEqual({
    shell: 'fish',
    script: expect.stringMatching(/^# fish completion for runner[^]*\ncomplete -c runner /),
  })
  expect(await runner(['completion', 'tcsh'], { cwd: dir.dir })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('bash, zsh, fish, powershell'),
  })
})
