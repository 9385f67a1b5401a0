import { Queue } from 'bullmq'
import { expect, it } from 'vitest'
import { queueNames } from '../../src/redis/queue-names.ts'
import { startRedis } from '../helpers/redis.ts'
import { startCluster } from '../helpers/cluster.ts'
import { open } from './open.ts'

it('finds every queue of a prefix among many keys, and none of another', async () => {
  await using redis = await startRedis()
  const client = redis.client()
  const others = Array.from({ length: 5_000 }, (_, i) => [`bull:mail:${i}`, 'x']).flat()
  await client.mset(...others)
  const metas = [
    'bull:mail:meta',
    'bull:a b/ü:meta',
    'bull:eu:mail:meta',
    'bully:mail:meta',
    'b[u]*?\\:x:meta',
  ]
  for (const key of metas) await client.hset(key, 'opts.maxLenEvents', 1)
  expect(await queueNames(client, 'bull')).toEqual(['a b/ü', 'mail'])
  expect(await queueNames(client, 'bull:eu')).toEqual(['mail'])
  expect(await queueNames(client, 'b[u]*?\\')).toEqual(['x'])
  expect(await queueNames(client, 'b*')).toEqual([])
})

it('asks every master of a Cluster, also on a client that is still connecting', async () => {
  await using cluster = await startCluster()
  // Each tag lies in a slot of another master.
  const prefixes = ['{1}', '{2}', '{bull}', '{q}']
  await using handle = await open({ cluster: cluster.nodes.slice(0, 1) }, '{bull}')
  const connection = handle.connect('test')
  for (const prefix of prefixes) {
    const queue = new Queue('mail', { connection, prefix })
    await queue.add('job', {})
  }
  for (const prefix of prefixes)
    expect(await queueNames(handle.connect('other'), prefix), prefix).toEqual(['mail'])
  expect(await queueNames(connection, '{none}')).toEqual([])
})
