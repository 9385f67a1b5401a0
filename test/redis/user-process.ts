/**
 * A user of the private server as a process of its own: `node user-process.ts <cwd>`. Prints one JSON line when it is
 * connected, keeps a counter going, and leaves politely when its stdin ends.
 */
import { once } from 'node:events'
import { openRedis } from '../../src/redis/connection.ts'

const messages: string[] = []
const handle = await openRedis(
  { redis: undefined, prefix: 'bull', cwd: process.argv[2] ?? '', redisFrom: 'redis' },
  { onMessage: line => messages.push(line) },
).catch((error: unknown) => {
  const { code, message, hint } = error as { code?: string; message: string; hint?: string }
  console.log(JSON.stringify({ error: { code, message, hint } }))
  process.exit(4)
})
const client = handle.connect('test')
const count = await client.incr('users')
const server = /process_id:(\d+)/.exec(await client.info('server'))?.[1]
console.log(JSON.stringify({ messages, count, server: Number(server) }))
await once(process.stdin.resume(), 'end')
await handle.close()
