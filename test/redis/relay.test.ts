import { afterAll, beforeAll, expect, it } from 'vitest'
import { openRelay } from '../../src/redis/relay.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

it.each(['ip-10-0-1-23.eu-west-1.compute.internal-4011-f24b8c49', 'p'.repeat(90)])(
  'takes any name of a host: %s',
  async name => {
    const relay = openRelay(redis.client(), 'bull', name)
    const heard = Promise.withResolvers<unknown>()
    await relay.subscribe('command', ({ data }) => heard.resolve(data))
    const other = openRelay(redis.client(), 'bull', 'other')
    await other.publish('command', { text: 'x'.repeat(2_000_000) })
    expect(await heard.promise).toMatchObject({ text: expect.stringMatching(/^x+$/) as string })
    await Promise.all([relay.close(), other.close()])
  },
)

it('tells of what its user may not do', async () => {
  const admin = redis.client()
  await admin.acl('SETUSER', 'narrow', 'on', '>x', '~bull:mail:*', '+@all')
  const client = redis.client()
  await client.auth('narrow', 'x')
  const told = Promise.withResolvers<Error>()
  const relay = openRelay(client, 'bull', 'a', told.resolve)
  expect((await told.promise).message).toContain('NOPERM')
  await relay.close()
})
