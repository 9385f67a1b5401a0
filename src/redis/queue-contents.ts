/**
 * What lies in a queue of BullMQ, read with plain commands: no script runs, nothing is written, no payload is fetched.
 * Of jobs only so many from both ends of each state are looked at.
 */
import type { Client } from './client.ts'

/** From each end of each state. */
const SAMPLE = 100

export interface QueueContents {
  prefix: string
  queue: string
  isPaused: boolean
  /** Jobs that a worker may take, or could if the queue were not paused. */
  waiting: number
  /** Jobs with a delay that is not over. */
  delayed: number
  /** Jobs whose delay is over, but which no worker has moved. */
  due: number
  failed: number
  /** Somebody holds the lock of a job of it. */
  isHeld: boolean
}

export interface SampledJob {
  state: 'waiting' | 'delayed' | 'failed'
  name: string
  /** When it was added: milliseconds since the epoch, by its producer's clock. */
  timestamp: number
  /** Empty unless it failed. */
  failedReason: string
}

/** `now` in milliseconds since the epoch. */
export async function readContents(
  client: Client,
  prefix: string,
  queue: string,
  now: number,
): Promise<QueueContents> {
  const key = (name: string) => `${prefix}:${queue}:${name}`
  // BullMQ counts twelve bits of order into the time that a delay is over.
  const until = (now + 1) * 0x1000 - 1
  const [paused, wait, held, prioritized, delayed, due, failed, newest, oldest] = await Promise.all([
    client.hexists(key('meta'), 'paused'),
    client.llen(key('wait')),
    // Where BullMQ 5 keeps the jobs of a queue that is paused.
    client.llen(key('paused')),
    client.zcard(key('prioritized')),
    client.zcard(key('delayed')),
    client.zcount(key('delayed'), '-inf', until),
    client.zcard(key('failed')),
    client.lindex(key('active'), 0),
    client.lindex(key('active'), -1),
  ])
  const taken = [newest, oldest].filter(id => id !== null)
  const locks = await Promise.all(taken.map(id => client.exists(`${key(id)}:lock`)))
  const waiting = wait + held + prioritized
  return {
    prefix,
    queue,
    isPaused: paused === 1,
    waiting,
    delayed: delayed - due,
    due,
    failed,
    isHeld: locks.includes(1),
  }
}

/** Each job once. */
export async function sampleJobs(client: Client, prefix: string, queue: string): Promise<SampledJob[]> {
  const key = (name: string) => `${prefix}:${queue}:${name}`
  const lists = ['wait', 'paused'].map(name => idsAtEnds((from, to) => client.lrange(key(name), from, to)))
  const sets = ['prioritized', 'delayed', 'failed'].map(name =>
    idsAtEnds((from, to) => client.zrange(key(name), String(from), String(to))),
  )
  const [wait = [], held = [], prioritized = [], delayed = [], failed = []] = await Promise.all([
    ...lists,
    ...sets,
  ])
  const read = async (state: SampledJob['state'], id: string): Promise<SampledJob[]> => {
    const [name, timestamp, reason] = await client.hmget(key(id), 'name', 'timestamp', 'failedReason')
    // Gone meanwhile, or no job: older versions of BullMQ keep a marker among the ids.
    if (name === null || name === undefined) return []
    return [{ state, name, timestamp: Number(timestamp), failedReason: reason ?? '' }]
  }
  const all = await Promise.all([
    ...[...wait, ...held, ...prioritized].map(id => read('waiting', id)),
    ...delayed.map(id => read('delayed', id)),
    ...failed.map(id => read('failed', id)),
  ])
  return all.flat()
}

async function idsAtEnds(range: (from: number, to: number) => Promise<string[]>): Promise<string[]> {
  const ends = await Promise.all([range(0, SAMPLE - 1), range(-SAMPLE, -1)])
  return [...new Set(ends.flat())]
}
