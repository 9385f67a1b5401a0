import { describe, expect, it } from 'vitest'
import { RunnerError } from '../../src/errors.ts'
import type { RedisTarget } from '../../src/options.ts'
import { readTarget, requireHashTag } from '../../src/redis/target.ts'

const failed = (target: RedisTarget) => {
  try {
    readTarget(target, 'REDIS_URL')
  } catch (error) {
    return error as RunnerError
  }
  throw new Error('accepted')
}

describe('readTarget', () => {
  it.each([
    ['redis://localhost', { host: 'localhost', port: 6379 }, 'redis://localhost:6379'],
    ['redis://', { host: '127.0.0.1', port: 6379 }, 'redis://127.0.0.1:6379'],
    ['redis://h:7000/3', { host: 'h', port: 7000, db: 3 }, 'redis://h:7000/3'],
    ['redis://[::1]:7000', { host: '::1', port: 7000 }, 'redis://[::1]:7000'],
    ['redis://h?db=4&family=6', { host: 'h', port: 6379, db: 4, family: 6 }, 'redis://h:6379/4'],
    [
      'rediss://me:p%40ss%25@h:1',
      { host: 'h', port: 1, username: 'me', password: 'p@ss%', tls: {} },
      'rediss://h:1',
    ],
    ['redis://:pw@h', { host: 'h', port: 6379, password: 'pw' }, 'redis://h:6379'],
    ['unix:///run/r.sock', { path: '/run/r.sock' }, 'unix:/run/r.sock'],
    ['/run/r.sock?db=2', { path: '/run/r.sock', db: 2 }, 'unix:/run/r.sock'],
  ])('reads %s', (text, options, location) => {
    expect(readTarget(text, '--redis')).toEqual({ options, location })
  })

  it.each([
    [{ host: 'h', port: 1, password: 's3cret' }, 'redis://h:1'],
    [{ host: 'h', tls: {}, db: 1 }, 'rediss://h:6379/1'],
    [{ path: '/x.sock' }, 'unix:/x.sock'],
    [{ sentinels: [{ host: 'a', port: 26379 }], name: 'main' }, 'sentinel group main at a:26379'],
    [
      {
        cluster: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
        options: { password: 's3cret' },
      },
      'cluster a:1, b:2',
    ],
  ] satisfies [RedisTarget, string][])('names %j without its password', (target, location) => {
    expect(readTarget(target, 'file').location).toBe(location)
  })

  it.each([
    'http://me:s3cret@h',
    'redis://me:s3cret',
    'redis://me:s3/cret@h',
    'redis://me:12/s3cret@h',
    'redis://s3cret#x@h',
    'redis://me:s3cret@h:99999',
    'redis://me:s3cret%@h',
    'redis://h/s3cret',
    'redis://h?password=s3cret',
    'h:6379,password=s3cret',
    'unix://s3cret',
    's3cret',
  ])('refuses %s without repeating it', text => {
    const error = failed(text)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toMatch(/^REDIS_URL: /)
    expect(`${error.message} ${error.hint} ${JSON.stringify(error.details)}`).not.toContain('s3cret')
  })

  it.each([
    { host: 'h', keyPrefix: 'x' },
    { cluster: [{ host: 'h', port: 1 }], options: { keyPrefix: 'x' } },
  ])('refuses keyPrefix, which BullMQ cannot work with: %j', target => {
    expect(failed(target).hint).toContain('prefix')
  })
})

describe('requireHashTag', () => {
  const cluster = readTarget({ cluster: [{ host: 'h', port: 1 }] }, 'file')

  it('wants one on a Cluster and says which', () => {
    expect(() => requireHashTag(cluster, 'bull')).toThrow(RunnerError)
    expect(() => requireHashTag(cluster, 'bull{}')).toThrow('hash tag')
    try {
      requireHashTag(cluster, 'bull')
    } catch (error) {
      expect((error as RunnerError).hint).toBe("use --prefix '{bull}'")
    }
    requireHashTag(cluster, 'my{bull}')
  })

  it('wants none elsewhere', () => {
    requireHashTag(readTarget('redis://h', 'file'), 'bull')
  })
})
