/** One look into Redis, for what is worth nothing to wait for. The time it may take is the caller's affair. */
import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { type Client, openOnce } from './client.ts'
import { privateFolder } from './private-folder.ts'
import { readTarget, type Target } from './target.ts'

/**
 * Lends `look` a client, where there is a Redis. The private server is looked into if it runs, and never started.
 * Rejects when the connection fails: it is tried once.
 */
export async function glanceAt(
  { redis, redisFrom, cwd }: Pick<Config, 'redis' | 'redisFrom' | 'cwd'>,
  look: (client: Client) => Promise<void>,
): Promise<void> {
  const target = redis === undefined ? runningServer(cwd) : readTarget(redis, redisFrom)
  if (target === undefined) return
  const client = openOnce(target)
  client.on('error', () => undefined)
  try {
    await client.connect()
    await look(client)
  } finally {
    client.disconnect()
  }
}

function runningServer(cwd: string): Target | undefined {
  const { serverSocket: path } = privateFolder(join(realpathSync(cwd), '.runner'))
  return existsSync(path) ? { options: { path }, location: 'private server under .runner/' } : undefined
}
