/** A BullMQ queue for the length of one command. */
import { Queue, type QueueEvents } from 'bullmq'
import type { Config } from '../config.ts'
import { DEFAULT_QUEUE } from '../job/load.ts'
import { takeLibraryWarnings } from '../observe/library-warnings.ts'
import { openRedis, type RedisHandle } from '../redis/connection.ts'
import { Replicas, type Replica } from '../redis/replicas.ts'
import { queueDoubt } from './queue-doubt.ts'
import { chooseQueue, type QueueChoice } from './queue-choice.ts'
import { openEvents, type OpenEvents } from './queue-events.ts'

export interface QueueClient extends AsyncDisposable {
  readonly queue: Queue
  readonly redis: RedisHandle
  /** All events of the queue from now on; `run()` starts them. They are on a connection of their own. */
  events(): Promise<QueueEvents>
}

/** Where lines for people go. */
export interface Listener {
  note: (line: string) => void
}

export interface QueueWanted {
  /** By a flag, or by the job's file. */
  named: string | undefined
  job: string
  /** The one that the job's file names, or the default; absent when the file was not looked for. */
  ofFile: string | undefined
}

/**
 * Connects, says what is to be said about this Redis, and opens the queue `named`, or else the one that suits `job`; or
 * the one that a function chooses. Closing it closes everything.
 */
export async function openQueue(
  config: Config,
  wanted: QueueWanted | ((live: Replica[]) => QueueChoice),
  output: Listener,
): Promise<QueueClient> {
  const redis = await openRedis(config, { onMessage: line => output.note(line) })
  const warn = (line: string) => output.note(`warning: ${line}`)
  redis.warnings.forEach(warn)
  takeLibraryWarnings(warn)
  const connection = redis.connect('enqueue')
  const live = () => new Replicas(connection, redis.prefix).list()
  const choice = typeof wanted === 'function' ? wanted(await live()) : await choose(wanted, live)
  if (choice.note !== undefined) output.note(choice.note)
  const queue = new Queue(choice.queue, { connection, prefix: redis.prefix })
  // Errors are those of the connection, which reconnects by itself; without a listener they would end the process.
  queue.on('error', () => {})
  const opened: OpenEvents[] = []
  return {
    queue,
    redis,
    async events() {
      const open = await openEvents(redis, queue)
      opened.push(open)
      return open.events
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map(events => events[Symbol.asyncDispose]()))
      // Not queue.close(): that waits for a connection which may be down. The handle cuts what does not end.
      await redis.close()
    },
  }
}

async function choose(
  { named, job, ofFile }: QueueWanted,
  replicas: () => Promise<Replica[]>,
): Promise<QueueChoice> {
  if (named !== undefined && named === ofFile) return { queue: named }
  const live = await replicas()
  if (named === undefined) return chooseQueue(job, live)
  const known = [ofFile ?? DEFAULT_QUEUE, DEFAULT_QUEUE, ...live.flatMap(({ queues }) => Object.keys(queues))]
  const note = queueDoubt(named, known)
  return { queue: named, ...(note === undefined ? {} : { note }) }
}
