/** What is to be known of a queue at a glance. */
import type { Replica } from '../redis/replicas.ts'
import type { Inspector } from './inspector.ts'

export interface QueueFigures {
  queue: string
  paused: boolean
  waiting: number
  prioritized: number
  active: number
  delayed: number
  waitingChildren: number
  failed: number
  completed: number
  /** Milliseconds that the job which is next has waited; null: none waits. */
  oldest: number | null
  /** Runs that ended a second, over the last minute, of all live replicas. Plain BullMQ workers tell none. */
  rate: number
  /** Milliseconds until nothing waits, at this rate; null: nothing ended. 0: nothing waits. */
  drain: number | null
  /** Jobs at once in all replicas together; null: no limit. */
  globalConcurrency: number | null
  /** Live replicas that work it and are not quiet, and the jobs that they can run at once. */
  replicas: number
  slots: number
}

const LISTS = ['wait', 'paused', 'active']
const SETS = ['prioritized', 'delayed', 'waiting-children', 'failed', 'completed']

export function figuresOf(
  inspector: Inspector,
  queues: readonly string[],
  replicas: readonly Replica[],
): Promise<QueueFigures[]> {
  return Promise.all(queues.map(queue => figures(inspector, queue, replicas)))
}

/** Two round trips, one when nothing waits. */
async function figures(
  inspector: Inspector,
  queue: string,
  replicas: readonly Replica[],
): Promise<QueueFigures> {
  const base = inspector.baseOf(queue)
  const pipeline = inspector.client.pipeline()
  for (const list of LISTS) pipeline.llen(base + list)
  for (const set of SETS) pipeline.zcard(base + set)
  pipeline.hmget(`${base}meta`, 'paused', 'concurrency')
  pipeline.lrange(`${base}wait`, '-1', '-1')
  pipeline.zrange(`${base}prioritized`, '0', '0')
  const answers = ((await pipeline.exec()) ?? []).map(([error, value]) => {
    if (error !== null) throw error
    return value
  })
  const counts = answers.slice(0, LISTS.length + SETS.length) as number[]
  const [
    wait = 0,
    held = 0,
    active = 0,
    prioritized = 0,
    delayed = 0,
    children = 0,
    failed = 0,
    completed = 0,
  ] = counts
  const [meta = [], next = [], first = []] = answers.slice(counts.length) as (string | null)[][]
  const [paused = null, limit = null] = meta
  const waiting = wait + held
  const working = replicas.filter(replica => !replica.quiet && queue in replica.queues)
  const rate = replicas.reduce((sum, { rates }) => sum + (rates[queue] ?? 0), 0)
  const backlog = waiting + prioritized
  const since = await addedAt(inspector, queue, next[0] ?? first[0])
  return {
    queue,
    paused: paused !== null,
    waiting,
    prioritized,
    active,
    delayed,
    waitingChildren: children,
    failed,
    completed,
    oldest: since === undefined ? null : Math.max(0, Date.now() - since),
    rate: Math.round(rate * 100) / 100,
    drain: backlog === 0 ? 0 : rate === 0 ? null : Math.round((backlog * 1_000) / rate),
    globalConcurrency: limit === null ? null : Number(limit),
    replicas: working.length,
    slots: working.reduce((sum, replica) => sum + (replica.queues[queue] ?? 0), 0),
  }
}

async function addedAt(
  { client, baseOf }: Inspector,
  queue: string,
  id: string | null | undefined,
): Promise<number | undefined> {
  if (id === undefined || id === null) return undefined
  const timestamp = await client.hget(baseOf(queue) + id, 'timestamp')
  return timestamp === null ? undefined : Number(timestamp)
}
