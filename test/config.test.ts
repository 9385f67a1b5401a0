import { describe, expect, test } from 'vitest'
import { resolveConfig, type ConfigSources } from '../src/config.ts'
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
      executorMemory: 1024 ** 3,
      drain: false,
    })
    expect(
      Object.keys(OPTIONS)
        .filter(key => !(key in config))
        .sort(),
    ).toEqual([
      'database',
      'executorMaxJobs',
      'idleTimeout',
      'maxJobs',
      'maxRss',
      'maxTime',
      'redis',
      'scheduleOwner',
      'stalledInterval',
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
  ])('%s', async (text, message) => {
    using dir = project({ 'runner.config.mjs': text })
    expect(await refusal({ cwd: dir.dir })).toMatch(message)
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
