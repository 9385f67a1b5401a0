/** The clock that all replicas share. */
import type { Cluster, Redis } from 'ioredis'

/** Milliseconds since the epoch, as the server has it. */
export async function serverTime(client: Redis | Cluster): Promise<number> {
  const [seconds, micros] = await client.time()
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
}
