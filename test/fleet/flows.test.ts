/** How flows are added: all of their jobs, or none. */
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Flows } from '../../src/fleet/flows.ts'
import type { CheckedFlow } from '../../src/job/flow-check.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

let redis: TestRedis
let client: Redis
beforeAll(async () => {
  redis = await startRedis()
  client = redis.client()
})
afterAll(() => redis.stop())

describe('of a flow with an id that is there already', () => {
  const node = (name: string, id?: string, children: CheckedFlow[] = []): CheckedFlow => ({
    name,
    payload: '{}',
    options: id === undefined ? {} : { id },
    children,
  })
  /** `client` is that of the flows. */
  const open = (client: Redis = redis.client()) =>
    new Flows(
      () => client,
      'ids',
      () => undefined,
    )
  const entryOf = () => ({ queue: 'q' })
  const ids = async () => (await client.keys('ids:q:*')).filter(key => /:[ab]-\d/.test(key)).sort()
  const add = (flows: Flows, ...flow: Parameters<typeof node>) => flows.add(node(...flow), entryOf)

  it('nothing is added when it is that of the root', async () => {
    const flows = open()
    expect(await add(flows, 'a', 'a-1', [node('b', 'b-1')])).toEqual({
      id: 'a-1',
      added: true,
      children: [{ id: 'b-1', children: [] }],
    })
    expect(await add(flows, 'a', 'a-1', [node('b', 'b-2'), node('c', 'c-2')])).toEqual({
      id: 'a-1',
      added: false,
      children: [],
    })
    expect(await ids()).toEqual(['ids:q:a-1', 'ids:q:a-1:dependencies', 'ids:q:b-1'])
    await flows.close()
  })

  it('it is refused when it is that of another job', async () => {
    const flows = open()
    const before = await ids()
    await expect(add(flows, 'a', 'a-2', [node('b', 'b-3', [node('c', 'b-1')])])).rejects.toMatchObject({
      code: 'FLOW_ID_TAKEN',
      message: 'the flow is refused: job b-1 is on queue q already',
    })
    expect(await ids()).toEqual(before)
    // What was watched then, and changes, does not break the next one off.
    await client.hset('ids:q:b-1', 'progress', 1)
    expect(await add(flows, 'a', undefined, [node('b')])).toMatchObject({ added: true })
    await flows.close()
  })

  it('also when it comes between the look and the transaction', async () => {
    const other = open()
    const own = redis.client()
    const exists = own.exists.bind(own) as (key: string) => Promise<number>
    let looks = 0
    own.exists = (async (key: string) => {
      const there = await exists(key)
      if (++looks === 1) await add(other, 'a', 'a-4', [node('b', 'b-4')])
      return there
    }) as never
    const flows = open(own)
    expect(await add(flows, 'a', 'a-4', [node('b', 'b-5')])).toMatchObject({ added: false })
    // Two ids, each looked up a second time.
    expect(looks).toBe(4)
    expect(await ids()).not.toContain('ids:q:b-5')
    await Promise.all([flows.close(), other.close()])
  })

  it('of two handlers that add it at once, one does', async () => {
    const both = [open(), open()]
    const answers = await Promise.all(
      both.flatMap(flows => [1, 2, 3].map(n => add(flows, 'a', 'a-5', [node('b', `b-6-${n}`)]))),
    )
    expect(answers.filter(({ added: one }) => one)).toHaveLength(1)
    expect((await ids()).filter(key => /:b-6-\d$/.test(key))).toHaveLength(1)
    await Promise.all(both.map(flows => flows.close()))
  })
})

it('a Redis that is full takes nothing of a flow', async () => {
  const flows = new Flows(
    () => redis.client(),
    'full',
    () => undefined,
  )
  const leaf: CheckedFlow = { name: 'b', payload: '{}', options: {}, children: [] }
  await client.config('SET', 'maxmemory', '1mb')
  const adding = flows.add({ ...leaf, children: [leaf, leaf] }, () => ({ queue: 'q' }))
  await expect(adding).rejects.toThrow(/OOM/)
  await client.config('SET', 'maxmemory', '0')
  expect((await client.keys('full:q:*')).filter(key => key.includes('~'))).toEqual([])
  await flows.close()
})
