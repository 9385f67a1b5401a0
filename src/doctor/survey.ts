/** What there is in this Redis and who works it: looked up once, for all that is judged by it. Nothing is written. */
import type { Config } from '../config.ts'
import type { Client } from '../redis/client.ts'
import { readClock } from '../redis/clock.ts'
import { Measured } from '../redis/measured.ts'
import { readContents, sampleJobs, type QueueContents, type SampledJob } from '../redis/queue-contents.ts'
import { scanQueues, type FoundQueue } from '../redis/queue-scan.ts'
import { Replicas, type Replica } from '../redis/replicas.ts'
import { unlessForbidden } from '../redis/server-info.ts'
import { workerClients, type WorkerClients } from '../redis/worker-clients.ts'

/** A Redis may hold any number of other keys, and somebody waits for the answer. */
const BOUNDS = { time: 8_000, count: 2_000 }

export interface SurveyedQueue extends QueueContents {
  /** Of its jobs; empty where only another queue was asked about. */
  sample: SampledJob[]
}

export interface Survey {
  client: Client
  config: Config
  prefix: string
  /** Milliseconds since the epoch, by Redis. */
  now: number
  /** Of this host's clock, in milliseconds, as of a replica's. */
  skew: number
  live: Replica[]
  /** undefined: connections may not be listed. */
  workers: WorkerClients | undefined
  /** Of the prefix, sorted by name; those too that only replicas or measurements tell of. */
  queues: SurveyedQueue[]
  /** Queues of other prefixes. */
  others: FoundQueue[]
  /** False: there may be queues that nobody told of. */
  complete: boolean
  /** Names of the job files of this folder. */
  files: readonly string[]
}

export interface SurveyOptions {
  client: Client
  config: Config
  prefix: string
  files: readonly string[]
  /** The queue that was asked about; undefined: all. */
  only: string | undefined
}

export async function surveyOf({ only, ...rest }: SurveyOptions): Promise<Survey> {
  const { client, prefix } = rest
  const { now, skew } = await readClock(client)
  const [live, measured, workers, scan, isThere] = await Promise.all([
    new Replicas(client, prefix).list(),
    new Measured(client, prefix).queues(),
    workerClients(client),
    unlessForbidden(scanQueues(client, BOUNDS)),
    // The scan may not get that far.
    only === undefined ? 0 : client.exists(`${prefix}:${only}:meta`),
  ])
  const { queues: found, complete } = scan ?? { queues: [], complete: false }
  const own = found.filter(one => one.prefix === prefix).map(({ queue }) => queue)
  const asked = only !== undefined && isThere === 1 ? [only] : []
  const names = new Set([...asked, ...own, ...measured, ...live.flatMap(({ queues }) => Object.keys(queues))])
  const queues = await Promise.all(
    [...names].sort().map(async queue => ({
      ...(await readContents(client, prefix, queue, now)),
      sample: only === undefined || only === queue ? await sampleJobs(client, prefix, queue) : [],
    })),
  )
  const others = found.filter(one => one.prefix !== prefix)
  return { ...rest, now, skew, live, workers, queues, others, complete }
}

/** Who would take jobs of a queue. */
export interface Takers {
  /** Live replicas that work it, those that are quiet too. */
  replicas: Replica[]
  quiet: number
  /** BullMQ workers that are no replicas; undefined: it cannot be told. */
  plain: number | undefined
  /** Somebody has a job of it: workers of BullMQ in other languages may have no name. */
  isHeld: boolean
}

export function takersOf({ live, workers, queues, prefix }: Survey, queue: string): Takers {
  const replicas = live.filter(replica => Object.hasOwn(replica.queues, queue))
  const connected = workers?.of(prefix, queue)
  return {
    replicas,
    quiet: replicas.filter(({ quiet }) => quiet).length,
    // Each replica has one too.
    plain: connected === undefined ? undefined : Math.max(0, connected - replicas.length),
    isHeld: queues.some(contents => contents.queue === queue && contents.isHeld),
  }
}

export const isTaken = ({ replicas, quiet, plain, isHeld }: Takers): boolean =>
  replicas.length > quiet || (plain ?? 0) > 0 || isHeld
