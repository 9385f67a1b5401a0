/** Which queues there are under a prefix, whoever made them: each has one key of this name, and keeps it when it is empty. */
import type { Redis } from 'ioredis'
import type { Client } from './client.ts'
import { primariesOf } from './server-info.ts'

/** Keys that one SCAN looks at: two or three milliseconds of a server. A million jobs are a million keys. */
const COUNT = 10_000

/** Sorted. Looks through all keys of the server, of every master on a Cluster, a bit at a time. */
export async function queueNames(client: Client, prefix: string): Promise<string[]> {
  // A Cluster that has just begun to connect knows of no master yet.
  await client.ping()
  const found = await Promise.all(primariesOf(client).map(node => scan(node, prefix)))
  return [...new Set(found.flat())].sort()
}

async function scan(node: Redis, prefix: string): Promise<string[]> {
  const names: string[] = []
  const pattern = `${prefix.replaceAll(/[\\*?[\]]/g, '\\$&')}:*:meta`
  let cursor = '0'
  do {
    const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', COUNT)
    names.push(...keys.map(key => key.slice(prefix.length + 1, -':meta'.length)))
    cursor = next
  } while (cursor !== '0')
  // No queue name contains ":": the others are of a longer prefix that begins with this one.
  return names.filter(name => !name.includes(':'))
}
