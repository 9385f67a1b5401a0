/**
 * The queues of a Redis, whatever their prefix: found by SCAN, which holds up no other client, but walks over all keys.
 * Hence the bounds: a scan that hits one says so.
 */
import { messageOf } from '../errors.ts'
import type { Client } from './client.ts'
import { primariesOf } from './server-info.ts'

/** Keys that the server looks at in one step: about half a millisecond of its time. */
const STEP = 1_000

export interface FoundQueue {
  prefix: string
  queue: string
}

export interface QueueScan {
  queues: FoundQueue[]
  /** False: there may be more. */
  complete: boolean
}

export interface ScanBounds {
  /** Milliseconds. */
  time: number
  /** Queues. */
  count: number
}

export async function scanQueues(client: Client, { time, count }: ScanBounds): Promise<QueueScan> {
  const until = performance.now() + time
  const found = new Map<string, FoundQueue>()
  for (const node of primariesOf(client)) {
    let cursor = '0'
    do {
      // Asked first: a step of a large server is cheap, and the bound is for all of them.
      if (performance.now() > until || found.size >= count)
        return { queues: [...found.values()], complete: false }
      const [next, keys] = await node.scan(cursor, 'MATCH', '*:*:meta', 'COUNT', STEP)
      cursor = next
      const queues = await Promise.all(keys.map(async key => [key, await isQueue(client, key)] as const))
      for (const [key, is] of queues) if (is) found.set(key, split(key))
    } while (cursor !== '0')
  }
  return { queues: [...found.values()], complete: true }
}

/** A scheduler, or somebody else's key, may be called like that: this field BullMQ writes into each queue's own. */
async function isQueue(client: Client, key: string): Promise<boolean> {
  try {
    return (await client.hexists(key, 'opts.maxLenEvents')) === 1
  } catch (error) {
    // No hash, or none that this user may read: then nothing under its prefix is.
    if (/WRONGTYPE|NOPERM/.test(messageOf(error))) return false
    throw error
  }
}

/** A queue has no ":" in its name; a prefix may. */
function split(key: string): FoundQueue {
  const [, prefix = '', queue = ''] = /^(.*):([^:]*):meta$/s.exec(key) ?? []
  return { prefix, queue }
}
