/** The schedulers of the Redis that is configured, for the length of one command. */
import type { Config } from '../../config.ts'
import { takeLibraryWarnings } from '../../observe/library-warnings.ts'
import { openRedis } from '../../redis/connection.ts'
import { queueNames } from '../../redis/queue-names.ts'
import { Schedulers, type Scheduler } from '../../schedule/schedulers.ts'
import type { Output } from '../output.ts'

export interface OpenSchedulers extends AsyncDisposable {
  schedulers: Schedulers
  /** Of every queue that there is, and of those that were asked for. */
  all: Scheduler[]
}

export async function openSchedulers(
  config: Config,
  output: Output,
  queues: readonly string[] = [],
): Promise<OpenSchedulers> {
  const redis = await openRedis(config, { onMessage: output.note })
  try {
    const warn = (line: string) => output.note(`warning: ${line}`)
    takeLibraryWarnings(warn)
    const client = redis.connect('schedules')
    const schedulers = new Schedulers(client, redis.prefix)
    const all = await schedulers.list([...queues, ...(await queueNames(client, redis.prefix))], warn)
    return { schedulers, all, [Symbol.asyncDispose]: () => redis.close() }
  } catch (error) {
    await redis.close()
    throw error
  }
}
