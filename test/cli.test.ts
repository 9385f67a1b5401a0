import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { VERSION } from '../src/version.ts'
import { project, type Project } from './helpers/project.ts'
import { BINARY, runner, runnerOnTerminal } from './helpers/runner.ts'

let dir: Project
beforeAll(() => {
  dir = project({ 'jobs/hello.mjs': 'export default () => 1' })
})
afterAll(() => dir[Symbol.dispose]())

const run = (...args: string[]) => runner(args, { cwd: dir.dir })

describe('help', () => {
  test('--version, before anything else is imported', async () => {
    expect(await run('--version')).toEqual({ code: 0, signal: null, stdout: `${VERSION}\n`, stderr: '' })
    expect((await run('-V')).stdout).toBe(`${VERSION}\n`)
  })

  test('--help lists the verbs, and each global flag with its variable and its default', async () => {
    const { code, stdout, stderr } = await run('--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const verb of ['work', 'enqueue', 'dev', 'init', 'new'])
      expect(stdout).toMatch(new RegExp(`^  ${verb} `, 'm'))
    const flat = stdout.replaceAll(/\s+/g, ' ')
    expect(flat).toContain('(env: RUNNER_REDIS or REDIS_URL, config: redis)')
    expect(flat).toContain(
      '--jobs <dir> folder of job files, repeatable (env: RUNNER_JOBS, config: jobs, default: jobs, scripts)',
    )
    expect(flat).toContain('(env: RUNNER_LOG_LEVEL, config: logLevel, default: info)')
    expect(Math.max(...stdout.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
  })

  test('without a verb the help is on stderr, with exit code 2', async () => {
    const { code, stdout, stderr } = await run()
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: runner /)
  })

  test.each([
    ['enqueue', '--help'],
    ['help', 'enqueue'],
    ['init', '-h'],
  ])('runner %s %s has examples and exit codes', async (...args) => {
    const { code, stdout } = await run(...args)
    expect(code).toBe(0)
    expect(stdout).toContain('\nExamples:\n  $ runner ')
    expect(stdout).toMatch(/\nExit codes:\n {4}0 {2}done\n/)
    expect(stdout.indexOf('Global options:')).toBeGreaterThan(stdout.indexOf('\nOptions:'))
  })
})

describe('wrong usage ends with exit code 2 and a suggestion', () => {
  test.each([
    [['enqeue', 'x'], "error: unknown command 'enqeue'\nhint: did you mean enqueue?\n"],
    [['help', 'wrok'], "error: unknown command 'wrok'\nhint: did you mean work?\n"],
    [['help', 'jobs', 'lst'], "error: unknown command 'jobs lst'\nhint: did you mean jobs list?\n"],
    [['jobs', 'lst'], "error: unknown command 'lst'\nhint: did you mean list?\n"],
    [['init', '--jsno'], "error: unknown option '--jsno'\nhint: did you mean --json?\n"],
    [['--prefxi', 'x', 'init'], "error: unknown option '--prefxi'\nhint: did you mean --prefix?\n"],
    [['init', 'a', 'b'], "error: too many arguments for 'init'. Expected 1 argument but got 2: a, b.\n"],
    [['new', 'job'], 'error: new job needs a name\n'],
    [
      ['init', '-o', 'xml'],
      "error: option '-o, --output <format>' argument 'xml' is invalid. Allowed choices are text, json, jsonl.\n",
    ],
    [['enqueue', 'hello', '--redis'], "error: option '--redis <url>' argument missing\n"],
  ])('%j', async (args, stderr) => {
    expect(await run(...args)).toEqual({ code: 2, signal: null, stdout: '', stderr })
  })

  test.each([[['--json']], [['-o', 'json']], [['-o', 'jsonl']], [['--output=json']]])(
    'as JSON with %j',
    async flags => {
      const { code, stderr } = await run(...flags, 'enqeue')
      expect({ code, error: JSON.parse(stderr) as unknown }).toEqual({
        code: 2,
        error: {
          error: {
            code: 'USAGE',
            message: "unknown command 'enqeue'",
            hint: 'did you mean enqueue?',
            details: null,
          },
        },
      })
    },
  )
})

describe('a Node that is too old', () => {
  const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } })'
  const nodeFlags = ['--import', `data:text/javascript,${old}`]

  test('is refused in a sentence, with exit code 2', async () => {
    const { code, stdout, stderr } = await runner(['work'], { cwd: dir.dir, nodeFlags })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^error: runner needs Node >= 24\.12, this is v.+\nhint: install it, or .+\n$/)
  })

  test.each([['--json'], ['-ojson'], ['-o', 'json'], ['--output=jsonl']])(
    'as JSON with %s %s',
    async (...flags) => {
      const { code, stderr } = await runner(['work', ...flags.filter(Boolean)], { cwd: dir.dir, nodeFlags })
      expect({ code, error: JSON.parse(stderr) as unknown }).toMatchObject({
        code: 2,
        error: { error: { code: 'NODE_TOO_OLD', details: null } },
      })
    },
  )
})

describe('global flags', () => {
  const plan = async (...args: string[]) => JSON.parse((await run(...args)).stdout) as unknown

  test('before and after the verb; the latter wins', async () => {
    using other = project({ 'a/one.mjs': 'export default () => 1', 'b/two.mjs': 'export default () => 1' })
    const at = (...args: string[]) => runner(args, { cwd: other.dir })
    expect(await at('--jobs', 'a', 'enqueue', 'one', '--dry-run')).toMatchObject({ code: 0 })
    expect(await at('--jobs', 'a', 'enqueue', '--jobs', 'b', 'two', '--dry-run')).toMatchObject({ code: 0 })
    expect(await at('enqueue', '--jobs', 'a', '--jobs', 'b', 'one', '--dry-run')).toMatchObject({ code: 0 })
    expect(await at('enqueue', '--jobs', 'b', 'one', '--dry-run')).toMatchObject({ code: 6 })
  })

  test('a folder that was named must be there', async () => {
    expect(await run('enqueue', 'hello', '--jobs', 'nope')).toMatchObject({
      code: 2,
      stderr: `error: --jobs: no folder nope in ${dir.dir}\n`,
    })
  })

  test('in a folder of a project the hint says where it is', async () => {
    const cwd = dir.path('jobs')
    const hint = `hint: the folder jobs is in ${dir.dir}: run it there\n`
    expect((await runner(['enqueue', 'hello'], { cwd })).stderr).toBe(
      `error: no job is named "hello"\n${hint}`,
    )
    expect((await runner(['work'], { cwd })).stderr).toBe(`error: no job file in jobs or scripts\n${hint}`)
  })

  test('a payload may have a field named version', async () => {
    expect(await plan('enqueue', 'hello', '--version', '1.2.3', '--dry-run', '--json')).toMatchObject({
      payload: { version: '1.2.3' },
    })
  })

  test('a config file written in TypeScript that imports this package', async () => {
    using other = project({
      'runner.config.ts': `import { defineConfig } from 'bullmq-runner'
        export default defineConfig({ jobs: ['mine'] })`,
      'mine/one.mjs': 'export default () => 1',
    })
    expect(await runner(['enqueue', 'one', '--dry-run'], { cwd: other.dir })).toMatchObject({ code: 0 })
  })

  test('Node flags that threads refuse do no harm', async () => {
    const nodeFlags = ['--max-old-space-size=256', '--stack-trace-limit=5']
    expect(await runner(['enqueue', 'hello', '--dry-run'], { cwd: dir.dir, nodeFlags })).toMatchObject({
      code: 0,
    })
  })
})

describe('output', () => {
  test('a reader that goes away ends the command quietly', () => {
    const line = `"${process.execPath}" "${BINARY}" --help | true; echo "exit code \${PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', line], { encoding: 'utf8' })
    expect({ stdout, stderr }).toEqual({ stdout: 'exit code 0\n', stderr: '' })
  })

  test('what was asked for is there before the reader goes, and errors that nobody reads change no exit code', () => {
    const program = `"${process.execPath}" "${BINARY}"`
    const lines = `${program} config -o jsonl 2>&- | head -1; echo "exit code \${PIPESTATUS[0]}"
      ${program} enqeue 2>&1 >/dev/null | true; echo "exit code \${PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', lines], { encoding: 'utf8', cwd: dir.dir })
    expect(stdout).toMatch(/^\{"setting":"redis",[^\n]*\}\nexit code 0\nexit code 2\n$/)
    expect(stderr).toBe('')
  })

  test('has no colour without a terminal, and on one unless NO_COLOR is set', async () => {
    const cwd = dir.dir
    const plain = "error: unknown command 'enqeue'"
    expect((await runner(['enqeue'], { cwd })).stderr).toContain(plain)
    expect((await runnerOnTerminal(['enqeue'], { cwd })).stdout).toContain(
      "\u001B[31merror:\u001B[39m unknown command 'enqeue'",
    )
    expect((await runnerOnTerminal(['enqeue'], { cwd, env: { NO_COLOR: '1' } })).stdout).toContain(plain)
  })

  test('an error that is none of ours says where it came from, with exit code 1', async () => {
    using other = project({ 'runner.config.mjs': 'export default {}' })
    const preload = `data:text/javascript,process.cwd = () => { throw new TypeError('boom') }`
    const ended = await runner(['enqueue', 'x'], { cwd: other.dir, nodeFlags: ['--import', preload] })
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toMatch(/^error: boom\n {4}at /)
  })
})
