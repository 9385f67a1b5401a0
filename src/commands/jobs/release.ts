/** `runner jobs release <id>`: a job of the quarantine goes back to its queue, with all its attempts. */
import { Queue } from 'bullmq'
import type { Command } from 'commander'
import { RunnerError } from '../../errors.ts'
import type { Client } from '../../redis/client.ts'
import { openRedis } from '../../redis/connection.ts'
import { forgetCrashes } from '../../redis/crash-count.ts'
import { Quarantine, type Quarantined } from '../../redis/quarantine.ts'
import { didYouMean } from '../../suggestion.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument('<id>', 'of the job')
    .option('--queue <name>', 'where the id is in quarantine in more than one queue')
    .action(async (id: string, { queue }: { queue?: string }) => release(id, queue, context))
  addHelp(
    command,
    [
      ['runner queues quarantine', 'which jobs there are'],
      ['runner jobs release 4711', 'its crashes are forgotten, its attempts given back'],
      ['runner jobs release 4711 --queue images'],
    ],
    ['ok', 'usage', 'redis', 'notFound'],
  )
}

async function release(id: string, queue: string | undefined, context: CliContext): Promise<void> {
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  const connection = redis.connect('command')
  const quarantine = new Quarantine(connection, redis.prefix)
  const entry = choose(await quarantine.list(), id, queue)
  const released = await putBack(connection, redis.prefix, entry)
  // Last: what breaks off before can be asked for again.
  await quarantine.remove(entry)
  if (!released) {
    throw new RunnerError('JOB_NOT_FOUND', `${entry.job} ${id} is no longer in queue ${entry.queue}`, {
      hint: 'somebody removed it; it is out of the quarantine now',
    })
  }
  const { queue: name, job } = entry
  context.print(`${job} ${id} is back in queue ${name}`, { queue: name, job, id })
}

function choose(all: Quarantined[], id: string, queue: string | undefined): Quarantined {
  const found = all.filter(one => one.id === id && (queue === undefined || one.queue === queue))
  const [entry, another] = found
  if (entry === undefined) {
    const where = queue === undefined ? '' : ` of queue ${queue}`
    const hint = didYouMean(
      id,
      all.map(one => one.id),
    )
    throw new RunnerError('JOB_NOT_FOUND', `job ${id} is not in the quarantine${where}`, hint)
  }
  if (another !== undefined) {
    throw new RunnerError(
      'USAGE',
      `job ${id} is in quarantine in queues ${found.map(one => one.queue).join(', ')}`,
      {
        hint: 'say which one by --queue',
      },
    )
  }
  return entry
}

/** False when it is gone. One that was retried already, by a dashboard say, stays where it is. */
async function putBack(connection: Client, prefix: string, entry: Quarantined): Promise<boolean> {
  const queue = new Queue(entry.queue, { connection, prefix })
  queue.on('error', () => {})
  const job = await queue.getJob(entry.id)
  if (job === undefined) return false
  const key = queue.toKey(entry.id)
  await forgetCrashes(connection, key)
  // Replicas that died under it: BullMQ counts them here.
  await connection.hdel(key, 'stc')
  // Not its starts: they are its fence.
  if (await job.isFailed()) await job.retry('failed', { resetAttemptsMade: true })
  return true
}
