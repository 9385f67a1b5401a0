/** How often a job was in an executor that died: a field of the job's own hash. */
import type { Cluster, Redis } from 'ioredis'
import { CRASHES } from './job-fields.ts'

/** `key` is the job's hash, `<prefix>:<queue>:<id>`. Returns the new count; a removed job is not made again. */
export async function addCrash(client: Redis | Cluster, key: string): Promise<number> {
  if ((await client.exists(key)) === 0) return 0
  return client.hincrby(key, CRASHES, 1)
}

/** As if it had never crashed. */
export async function forgetCrashes(client: Redis | Cluster, key: string): Promise<void> {
  await client.hdel(key, CRASHES)
}

export async function crashesOf(client: Redis | Cluster, key: string): Promise<number> {
  return Number((await client.hget(key, CRASHES)) ?? 0)
}
