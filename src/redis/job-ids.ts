/** Ids of jobs that somebody may have in mind: those that run, and the last ones of every other state. */
import type { Client } from './client.ts'

const EACH = 20
const LISTS = ['active', 'wait'] as const
const SETS = ['failed', 'completed', 'delayed'] as const

export interface FoundJob {
  id: string
  state: string
}

/** At most 20 of each state, with one command for each. */
export async function recentJobIds(client: Client, prefix: string, queue: string): Promise<FoundJob[]> {
  const key = (state: string) => `${prefix}:${queue}:${state}`
  const found = await Promise.all([
    ...LISTS.map(async state => ({ state, ids: await client.lrange(key(state), 0, EACH - 1) })),
    ...SETS.map(async state => ({ state, ids: await client.zrevrange(key(state), 0, EACH - 1) })),
  ])
  return found.flatMap(({ state, ids }) => ids.map(id => ({ id, state })))
}
