/** NDJSON -> one job a line, and the counts. */
import { EXIT, RunnerError } from '../../errors.ts'
import { toJobsOptions } from '../../job/enqueue-options.ts'
import { DEFAULT_QUEUE } from '../../job/load.ts'
import { addLines, type BulkCounts } from './bulk.ts'
import { enqueueOptions } from './options.ts'
import type { EnqueueRequest } from './one.ts'
import type { Line } from './lines.ts'
import { namedQueue } from '../../enqueue/queue-choice.ts'
import type { QueueClient } from '../../enqueue/queue-client.ts'

export async function enqueueMany(request: EnqueueRequest, lines: AsyncIterable<Line>): Promise<void> {
  const { config, context, flags, target } = request
  refuseForMany(request)
  const given = enqueueOptions(flags)
  const named = namedQueue(given.queue, target.entry)
  let client: Promise<QueueClient> | undefined
  let queueName = named ?? DEFAULT_QUEUE
  const counts: BulkCounts = { added: 0, bad: 0 }
  try {
    await addLines(
      lines,
      {
        target,
        flags: request.assignments,
        options: toJobsOptions(target.entry, given, option => `--${option}`),
        redact: config.redact,
        queue: async () => {
          if (flags.dryRun === true) return undefined
          client ??= import('../../enqueue/queue-client.ts').then(({ openQueue }) =>
            openQueue(config, { named, job: target.name, ofFile: target.entry?.queue }, context),
          )
          const { queue } = await client
          queueName = queue.name
          return queue
        },
        onBad: (line, reason) => context.note(badLine(line, reason, context.format)),
      },
      counts,
    )
  } catch (error) {
    if (counts.added > 0) context.note(`${jobs(counts.added)} had been added before this error`)
    throw error
  } finally {
    await (await client?.catch(() => undefined))?.[Symbol.asyncDispose]()
  }
  finish(request, queueName, counts)
}

function refuseForMany({ flags }: EnqueueRequest): void {
  for (const [flag, value] of [
    ['--wait', flags.wait],
    ['--follow', flags.follow],
    ['--id', flags.id],
    ['--dedupe', flags.dedupe],
    ['--file', flags.file],
  ] as const)
    if (value !== undefined) throw new RunnerError('USAGE', `${flag} is for one job, and --data holds many`)
}

function badLine(line: number, reason: { message: string; details?: unknown }, format: string): string {
  if (format === 'text') return `line ${line}: ${reason.message}`
  return JSON.stringify({ line, error: { message: reason.message, details: reason.details ?? null } })
}

function finish({ context, flags, target }: EnqueueRequest, queue: string, { added, bad }: BulkCounts): void {
  const verb = flags.dryRun === true ? 'would enqueue' : 'enqueued'
  const refused = bad > 0 ? `; ${bad} ${bad === 1 ? 'line' : 'lines'} refused` : ''
  context.print(`${verb} ${jobs(added)} ${target.name} on queue ${queue}${refused}`, {
    name: target.name,
    queue,
    [flags.dryRun === true ? 'wouldEnqueue' : 'enqueued']: added,
    refused: bad,
  })
  if (bad > 0) process.exitCode = added > 0 ? EXIT.partial : EXIT.usage
}

const jobs = (count: number): string => `${count} ${count === 1 ? 'job' : 'jobs'}`
