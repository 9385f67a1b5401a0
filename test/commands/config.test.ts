import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { project, type Project } from '../helpers/project.ts'
import { runner, type Ended } from '../helpers/runner.ts'

const CANARY = 'hunter2'
/** A credential in every place that can hold one. */
const CONFIG = `export default {
  grace: '3s',
  database: 'mysql://root:${CANARY}@db/app?sslkey=${CANARY}',
  profiles: {
    production: {
      redis: {
        sentinels: [{ host: 'sentinel-1', port: 26379 }],
        name: 'main',
        username: '${CANARY}',
        password: '${CANARY}',
        sentinelPassword: '${CANARY}',
        tls: { key: '${CANARY}', passphrase: '${CANARY}' },
      },
      databases: { billing: 'postgres://u:${CANARY}@db/billing?password=${CANARY}', local: 'sqlite:local.db' },
      concurrency: 50,
    },
  },
}`

interface Row {
  setting: string
  value: unknown
  from: string
  name: string | null
}

let dir: Project
beforeAll(() => {
  dir = project({ 'runner.config.mjs': CONFIG })
})
afterAll(() => dir[Symbol.dispose]())

const config = (args: string[], env: Record<string, string> = {}): Promise<Ended> =>
  runner(['config', ...args], { cwd: dir.dir, env })

describe('runner config', () => {
  test('says what is in force and where it was said, and no credential', async () => {
    const env = { RUNNER_BLOCK_WARN: '2s', RUNNER_REDACT: `https://u:${CANARY}@host` }
    const ended = await config(['--profile', 'production', '--concurrency', '7', '-o', 'jsonl'], env)
    expect(ended).toMatchObject({
      code: 0,
      stderr: `config file ${dir.path('runner.config.mjs')}, profile production\n`,
    })
    expect(ended.stdout).not.toContain(CANARY)
    const lines = ended.stdout.trimEnd().split('\n')
    const rows = lines.map(line => JSON.parse(line) as Row)
    const row = (name: string) => rows.find(({ setting }) => setting === name)
    expect(row('concurrency')).toEqual({
      setting: 'concurrency',
      value: 7,
      from: 'flag',
      name: '--concurrency',
    })
    expect(row('blockWarn')).toMatchObject({ value: 2_000, from: 'env', name: 'RUNNER_BLOCK_WARN' })
    expect(row('grace')).toMatchObject({ value: 3_000, from: 'file', name: dir.path('runner.config.mjs') })
    expect(row('lockDuration')).toMatchObject({ value: 8_000, from: 'default', name: null })
    expect(row('maxRss')).toMatchObject({ value: null, from: 'default' })
    expect(row('redis')).toMatchObject({
      value: {
        sentinels: [{ host: 'sentinel-1', port: 26_379 }],
        name: 'main',
        username: '***',
        password: '***',
        sentinelPassword: '***',
        tls: '***',
      },
      from: 'profile',
      name: 'production',
    })
    expect(row('database')?.value).toBe('mysql://***@db/app?sslkey=***')
    expect(row('databases')?.value).toEqual({
      billing: 'postgres://***@db/billing?password=***',
      local: 'sqlite:local.db',
    })
  })

  test('is a table for people, with times as they were written', async () => {
    const { stdout } = await config([], { REDIS_URL: `redis://:${CANARY}@host/2` })
    expect(stdout).not.toContain(CANARY)
    expect(stdout).toMatch(
      /^SETTING {2,}VALUE {2,}FROM\nredis {2,}redis:\/\/\*\*\*@host\/2 {2,}env REDIS_URL\n/,
    )
    expect(stdout).toMatch(/^grace {2,}3s {2,}file \/.*runner\.config\.mjs$/m)
    expect(stdout).toMatch(/^executorMemory {2,}auto {2,}default$/m)
    expect(stdout).toMatch(/^jobs {2,}jobs,scripts {2,}default$/m)
    expect(stdout).toMatch(/^maxRss {2,}- {2,}default$/m)
  })

  test('prints one value for a script', async () => {
    expect(await config(['grace'])).toMatchObject({ code: 0, stdout: '3s\n', stderr: '' })
    const { code, stderr } = await config(['graze', '--json'])
    expect({ code, error: JSON.parse(stderr) as unknown }).toMatchObject({
      code: 2,
      error: { error: { code: 'USAGE', hint: 'did you mean grace?' } },
    })
  })
})
