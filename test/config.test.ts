import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { resolveConfig, resolveWithOrigins, type ConfigSources } from '../src/config.ts'
import { OPTIONS } from '../src/options.ts'
import { project } from './helpers/project.ts'

const resolve = (sources: Partial<ConfigSources> = {}) =>
  resolveConfig({ cwd: '/nonexistent', env: {}, flags: {}, ...sources })

const refusal = (sources: Partial<ConfigSources>) =>
  resolve(sources).then(
    () => expect.unreachable('it was accepted'),
    (error: { code: string; message: string }) => `${error.code} ${error.message}`,
  )

describe('precedence', () => {
  test('flag > environment > file > default, each option by itself', async () => {
    using dir = project({
      'runner.config.mjs': 'export default { concurrency: 3, executors: 3, grace: "3s", prefix: "file" }',
    })
    const config = await resolve({
      cwd: dir.dir,
      env: { RUNNER_CONCURRENCY: '2', RUNNER_EXECUTORS: '2', RUNNER_GRACE: '' },
      flags: { concurrency: '1' },
    })
    expect(config).toMatchObject({
      concurrency: 1,
      executors: 2,
      grace: 3000,
      prefix: 'file',
      lockDuration: 8_000,
    })
  })

  test('says where Redis came from, and RUNNER_REDIS wins over REDIS_URL', async () => {
    const env = { REDIS_URL: 'redis://a', RUNNER_REDIS: 'redis://b' }
    expect(await resolve()).toMatchObject({ redisFrom: 'redis' })
    expect(await resolve({ env: { REDIS_URL: 'redis://a' } })).toMatchObject({
      redis: 'redis://a',
      redisFrom: 'REDIS_URL',
    })
    expect(await resolve({ env })).toMatchObject({ redis: 'redis://b', redisFrom: 'RUNNER_REDIS' })
    expect(await resolve({ env, flags: { redis: 'redis://c' } })).toMatchObject({
      redis: 'redis://c',
      redisFrom: '--redis',
    })
  })

  test('every default is one that its own schema takes', async () => {
    const config = await resolve()
    expect(config).toMatchObject({
      jobs: ['jobs', 'scripts'],
      concurrency: 10,
      executorMemory: 'auto',
      drain: false,
    })
    expect(
      Object.keys(OPTIONS)
        .filter(key => !(key in config))
        .sort(),
    ).toEqual([
      'database',
      'executorMaxJobs',
      'http',
      'idleTimeout',
      'maxJobs',
      'maxReplicas',
      'maxRss',
      'maxTime',
      'nest',
      'redis',
      'scheduleOwner',
      'stalledInterval',
      'terminationLog',
      'wedgedAfter',
    ])
  })

  test('is frozen', async () => {
    expect(Object.isFrozen(await resolve())).toBe(true)
  })
})

describe('values', () => {
  test('of lock duration and block limit may be a word', async () => {
    expect(await resolve({ flags: { lockDuration: 'auto', blockLimit: 'false' } })).toMatchObject({
      lockDuration: 'auto',
      blockLimit: false,
    })
    using dir = project({ 'runner.config.mjs': 'export default { blockLimit: false, lockDuration: "9s" }' })
    expect(await resolve({ cwd: dir.dir })).toMatchObject({ lockDuration: 9_000, blockLimit: false })
  })

  test('of the environment are read as what the option is', async () => {
    const env = {
      RUNNER_QUEUES: 'mail:20, reports',
      RUNNER_DRAIN: 'true',
      RUNNER_MAX_JOBS: '5',
      RUNNER_EXECUTOR_MEMORY: '64MiB',
      RUNNER_IDLE_TIMEOUT: '1m',
    }
    expect(await resolve({ env })).toMatchObject({
      queues: ['mail:20', 'reports'],
      drain: true,
      maxJobs: 5,
      executorMemory: 64 * 1024 ** 2,
      idleTimeout: 60_000,
    })
  })

  test('of single queues are JSON in the environment', async () => {
    const scaling = { mail: { maxReplicas: 20, drainTarget: '30s' } }
    const parsed = { mail: { maxReplicas: 20, drainTarget: 30_000 } }
    expect((await resolve({ env: { RUNNER_SCALING: JSON.stringify(scaling) } })).scaling).toEqual(parsed)
    expect((await resolve({ flags: { scaling } })).scaling).toEqual(parsed)
    expect(await refusal({ env: { RUNNER_SCALING: '{mail:20}' } })).toBe(
      'CONFIG_INVALID RUNNER_SCALING: expected JSON such as {"mail":{"maxReplicas":20}} (got "{mail:20}")',
    )
    expect(await refusal({ env: { RUNNER_SCALING: '{"mail":{"maxReplica":20}}' } })).toBe(
      'CONFIG_INVALID RUNNER_SCALING: mail: Unrecognized key: "maxReplica"',
    )
    expect(await refusal({ env: { RUNNER_SCALING: '[]' } })).toMatch(/expected record, received array/)
  })

  test.each([
    [
      { flags: { grace: 'soon' } },
      'CONFIG_INVALID --grace: expected a duration such as 250ms, 30s, 5m, 2h or 1d, got "soon"',
    ],
    [
      { env: { RUNNER_CONCURRENCY: '0' } },
      'CONFIG_INVALID RUNNER_CONCURRENCY: Too small: expected number to be >=1 (got "0")',
    ],
    [{ flags: { concurrency: 'abc' } }, 'CONFIG_INVALID --concurrency: expected a whole number (got "abc")'],
    [
      { env: { RUNNER_MAX_JOBS: '1.5' } },
      'CONFIG_INVALID RUNNER_MAX_JOBS: expected a whole number (got "1.5")',
    ],
    [
      { flags: { isolation: 'vm' } },
      'CONFIG_INVALID --isolation: Invalid option: expected one of "thread"|"process" (got "vm")',
    ],
    [
      { flags: { lockDuration: '1ms' } },
      'CONFIG_INVALID --lock-duration: expected at least 1s, got 1ms, or auto',
    ],
    [
      { flags: { stalledInterval: '0s' } },
      'CONFIG_INVALID --stalled-interval: expected at least 100ms, got 0ms',
    ],
    [
      { env: { RUNNER_LOCK_DURATION: '30d' } },
      'CONFIG_INVALID RUNNER_LOCK_DURATION: expected at most 24d, got 30d, or auto',
    ],
    [
      { flags: { lockDuration: 'long' } },
      'CONFIG_INVALID --lock-duration: expected a duration such as 250ms, 30s, 5m, 2h or 1d, got "long", or auto',
    ],
    [
      { flags: { blockLimit: '1ms' } },
      'CONFIG_INVALID --block-limit: expected at least 500ms, got 1ms, or false',
    ],
  ])('a wrong one is named with its source: %j', async (sources, message) => {
    expect(await refusal(sources)).toBe(message)
  })

  test('a wrong Redis is not shown, since it may hold a password', async () => {
    const message = await refusal({ flags: { redis: { host: 1, password: 'secret' } } })
    expect(message).toMatch(/^CONFIG_INVALID --redis: /)
    expect(message).not.toContain('secret')
  })
})

describe('the config file', () => {
  test('may be named, and must then be there', async () => {
    using dir = project({ 'other.mjs': 'export default { concurrency: 7 }' })
    expect(await resolve({ cwd: dir.dir, file: 'other.mjs' })).toMatchObject({ concurrency: 7 })
    expect(await refusal({ cwd: dir.dir, file: 'nope.ts' })).toBe(
      'CONFIG_INVALID config file nope.ts does not exist',
    )
  })

  test.each([
    ['throw new Error("boom")', /cannot be loaded: boom$/],
    ['export default { concurency: 1 }', /: unknown key concurency$/],
    ['export default { concurrency: 0 }', /^CONFIG_INVALID concurrency in the config file: Too small/],
    ['export const concurrency = 1', /runner\.config\.mjs: its default export is no object$/],
    ['export default []', /runner\.config\.mjs: its default export is no object$/],
    ['export default { profiles: ["ci"] }', /runner\.config\.mjs: profiles is no object$/],
    ['export default { profiles: { ci: 1 } }', /runner\.config\.mjs: profile ci is no object$/],
    ['export default { profiles: { ci: { graze: 1 } } }', /: unknown key graze in profile ci$/],
    ['export default { profiles: { ci: { profiles: {} } } }', /: unknown key profiles in profile ci$/],
    ['export default { databases: { a: 1, b: "postgres://u:hunter2@h" } }', /config file: a: [^(]*$/],
    ['export default { database: ["hunter2"] }', /^CONFIG_INVALID database in the config file: [^(]*$/],
  ])('%s', async (text, message) => {
    using dir = project({ 'runner.config.mjs': text })
    expect(await refusal({ cwd: dir.dir })).toMatch(message)
  })
})

describe('profiles', () => {
  const text = `export default {
    concurrency: 3, grace: '3s', redis: 'redis://file',
    profiles: { production: { concurrency: 50, redis: 'redis://production' }, ci: { grace: 'soon' } },
  }`

  test('a flag and the environment win over the profile, which wins over the file', async () => {
    using dir = project({ 'runner.config.mjs': text })
    const production = { cwd: dir.dir, profile: 'production' }
    expect(await resolve({ cwd: dir.dir })).toMatchObject({ concurrency: 3, grace: 3_000 })
    expect(await resolve(production)).toMatchObject({ concurrency: 50, grace: 3_000 })
    expect(await resolve({ ...production, env: { RUNNER_CONCURRENCY: '7' } })).toMatchObject({
      concurrency: 7,
      redis: 'redis://production',
      redisFrom: 'redis in profile production',
    })
  })

  test('RUNNER_PROFILE chooses one, and --profile another', async () => {
    using dir = project({ 'runner.config.mjs': text })
    const env = { RUNNER_PROFILE: 'production' }
    expect(await resolve({ cwd: dir.dir, env })).toMatchObject({ concurrency: 50 })
    expect(await resolve({ cwd: dir.dir, env: { RUNNER_PROFILE: '' } })).toMatchObject({ concurrency: 3 })
    expect(await refusal({ cwd: dir.dir, env, profile: 'ci' })).toMatch(
      /^CONFIG_INVALID grace in profile ci: expected a duration/,
    )
  })

  test('one that the file does not have is refused, by the name it was asked for', async () => {
    using dir = project({ 'runner.config.mjs': text })
    const asked = (profile: string, env = {}) => resolve({ cwd: dir.dir, env, ...(profile && { profile }) })
    await expect(asked('prodution')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `--profile: config file ${dir.path('runner.config.mjs')} has no profile prodution`,
      hint: 'did you mean production?',
    })
    await expect(asked('', { RUNNER_PROFILE: 'staging' })).rejects.toMatchObject({
      message: `RUNNER_PROFILE: config file ${dir.path('runner.config.mjs')} has no profile staging`,
      hint: 'it has production, ci',
    })
    expect(await refusal({ profile: 'constructor' })).toBe(
      'CONFIG_INVALID --profile: there is no config file that could have profile constructor',
    )
  })

  test('a wrong key is named whether its profile is chosen or not, with the one that was meant', async () => {
    using dir = project({ 'runner.config.mjs': 'export default { profiles: { ci: { concurency: 1 } } }' })
    await expect(resolve({ cwd: dir.dir })).rejects.toMatchObject({ hint: 'did you mean concurrency?' })
    using other = project({ 'runner.config.mjs': 'export default { profile: { ci: {} } }' })
    await expect(resolve({ cwd: other.dir })).rejects.toMatchObject({ hint: 'did you mean profiles?' })
  })
})

test('the config file of README.md is taken, and its profiles', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const [, text = ''] = /^```ts\n(\/\/ runner\.config\.ts\n.*?)^```$/ms.exec(readme) ?? []
  using dir = project({ 'runner.config.ts': text })
  const at = (profile: string) => resolve({ cwd: dir.dir, profile })
  expect(await at('production')).toMatchObject({ concurrency: 50, redis: { host: 'redis.internal' } })
  expect(await at('ci')).toMatchObject({ concurrency: 20, drain: true, logLevel: 'warn' })
})

test('every value is known to come from where it does', async () => {
  using dir = project({
    'runner.config.mjs': `export default { grace: '3s', blockWarn: '2s', profiles: { ci: { blockWarn: '4s' } } }`,
  })
  const { origins, file, profile } = await resolveWithOrigins({
    cwd: dir.dir,
    env: { REDIS_URL: 'redis://a' },
    flags: { concurrency: '1', databases: { a: 'sqlite:a' } },
    profile: 'ci',
  })
  const path = dir.path('runner.config.mjs')
  expect({ file, profile }).toEqual({ file: path, profile: 'ci' })
  expect(Object.keys(origins)).toEqual(Object.keys(OPTIONS))
  expect(origins).toMatchObject({
    concurrency: { from: 'flag', name: '--concurrency', given: '1' },
    databases: { from: 'flag', name: 'databases' },
    redis: { from: 'env', name: 'REDIS_URL', given: 'redis://a' },
    blockWarn: { from: 'profile', name: 'ci', given: '4s' },
    grace: { from: 'file', name: path, given: '3s' },
    lockDuration: { from: 'default', name: null, given: '8s' },
    maxRss: { from: 'default', name: null, given: undefined },
  })
})

test('a key that is nearly one of ours gets that suggested', async () => {
  using dir = project({ 'runner.config.mjs': 'export default { concurency: 1 }' })
  await expect(resolve({ cwd: dir.dir })).rejects.toMatchObject({ hint: 'did you mean concurrency?' })
})

test('says the value that was given once', async () => {
  const refused = resolveConfig({ cwd: import.meta.dirname, env: {}, flags: { grace: 'soon' } })
  await expect(refused).rejects.toThrow(/^--grace: expected a duration [^"]*, got "soon"$/)
})
