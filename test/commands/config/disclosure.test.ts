import { describe, expect, test } from 'vitest'
import { disclose } from '../../../src/commands/config/disclosure.ts'

const CANARY = 'hunter2'

describe('a credential is not shown, wherever it is', () => {
  test.each([
    `redis://:${CANARY}@host:6379/1`,
    `redis://${CANARY}@host`,
    `redis://${CANARY}:x@host`,
    `rediss://user:${CANARY}@host:6379`,
    `redis://user:${CANARY}%40more@host`,
    // What people write that is no URL, or another one than they think.
    `redis://:${CANARY}#1@host`,
    `redis://:12/${CANARY}@host`,
    `redis://u:12/${CANARY}@host`,
    `redis://u:12?${CANARY}@host`,
    `redis://host#${CANARY}`,
    `redis:${CANARY}`,
    `${CANARY}@host:6379`,
    `host=db password=${CANARY}`,
    CANARY,
    `redis://host?password=${CANARY}`,
    `redis://host?${CANARY}`,
    `redis://host?db=1&authToken=${CANARY}&sslmode=require`,
    `postgres://u:${CANARY}@h1:5432,h2:5432/app`,
    `postgres://host/app?password=${CANARY}@x&sslmode=require`,
    `mysql://u:${CANARY}@host/app?sslkey=${CANARY}`,
    `unix:///run/redis.sock?password=${CANARY}`,
    `/run/redis.sock?password=${CANARY}`,
    `sqlite:app.db?key=${CANARY}`,
  ])('in a URL: %s', url => {
    for (const key of ['redis', 'database', 'apiToken'])
      expect(JSON.stringify(disclose(key, url))).not.toContain(CANARY)
    expect(JSON.stringify(disclose('databases', { billing: url }))).not.toContain(CANARY)
    // Alone it is what a host looks like.
    if (url !== CANARY) expect(JSON.stringify(disclose('redis', { host: url }))).not.toContain(CANARY)
  })

  test.each([
    { host: 'h', password: CANARY },
    { host: 'h', username: CANARY },
    { host: 'h', password: 4711_000 },
    { host: 'h', tls: { key: CANARY, ca: [CANARY], passphrase: CANARY } },
    { host: 'h', reconnectOnError: CANARY, someOptionToCome: CANARY },
    { cluster: [{ host: 'h', port: 1 }], options: { password: CANARY, tls: { key: CANARY } } },
    { sentinels: [{ host: 'h', port: 1, password: CANARY }], name: 'm', sentinelPassword: CANARY },
    { sentinels: [], name: 'm', sentinelUsername: CANARY, password: CANARY, sentinelTLS: { key: CANARY } },
    { path: `redis://:${CANARY}@h` },
    { cluster: [`redis://:${CANARY}@h`] },
  ])('in ioredis options: %j', options => {
    const shown = JSON.stringify(disclose('redis', options))
    expect(shown).not.toContain(CANARY)
    expect(shown).not.toContain('4711000')
  })

  test.each([
    ['schedules', { nightly: { job: 'backup', args: { password: CANARY, api_key: CANARY } } }],
    ['redact', [`https://u:${CANARY}@host`]],
    ['prefix', `redis://u:${CANARY}@host`],
  ])('in %s, which is not meant to hold one', (key, value) => {
    expect(JSON.stringify(disclose(key, value))).not.toContain(CANARY)
  })
})

describe('what is none is shown', () => {
  test.each([
    ['redis', 'redis://localhost:6379/3', 'redis://localhost:6379/3'],
    ['redis', 'redis://:x@host:6379?db=1&family=6', 'redis://***@host:6379?db=1&family=6'],
    ['redis', 'rediss://u:x@[::1]:6380', 'rediss://***@[::1]:6380'],
    ['redis', 'unix:///run/redis.sock?db=2', 'unix:///run/redis.sock?db=2'],
    ['redis', '/run/redis.sock', '/run/redis.sock'],
    ['database', 'postgres://u:x@db/app?sslmode=require', 'postgres://***@db/app?sslmode=require'],
    ['database', 'sqlite:data/app.db', 'sqlite:data/app.db'],
    ['databases', { a: 'sqlite:a.db', b: 'mysql://u@h/b' }, { a: 'sqlite:a.db', b: 'mysql://***@h/b' }],
    [
      'redis',
      {
        sentinels: [{ host: 's', port: 26_379 }],
        name: 'main',
        password: 'x',
        enableTLSForSentinelMode: true,
      },
      {
        sentinels: [{ host: 's', port: 26_379 }],
        name: 'main',
        password: '***',
        enableTLSForSentinelMode: true,
      },
    ],
    ['redis', { host: 'h', password: undefined, lazy: null }, { host: 'h', password: undefined, lazy: null }],
    ['queues', ['mail:20', 'reports'], ['mail:20', 'reports']],
    ['grace', 25_000, 25_000],
    ['blockLimit', false, false],
    ['schedules', { nightly: { job: 'a', cron: '0 3 * * *' } }, { nightly: { job: 'a', cron: '0 3 * * *' } }],
    ['redis', undefined, undefined],
  ])('%s %j', (key, value, shown) => {
    expect(disclose(key, value)).toEqual(shown)
  })
})
