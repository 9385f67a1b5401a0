/** The flags of `runner enqueue` that are not a payload's. */
import type { Command } from 'commander'
import { RunnerError } from '../../errors.ts'
import type { EnqueueOptions } from '../../job/context.ts'
import { shorten } from '../../job/problem.ts'
import { durationOption } from '../../units.ts'

export interface EnqueueFlags {
  data?: string
  flow?: string
  queue?: string
  delay?: string
  file?: string[]
  priority?: string
  attempts?: string
  id?: string
  dedupe?: string
  dryRun?: true
  wait?: true
  timeout?: string
  follow?: true
  /** False with --no-schema. */
  schema: boolean
  help?: true
}

export function addOptionsOf(command: Command): void {
  command
    .option(
      '--data <json>',
      'payload: JSON, @file, or - for stdin; NDJSON there is one job a line. Flags override its fields',
    )
    .option(
      '--flow <json>',
      'instead of <job>: jobs of which some wait for others, as ctx.flow() takes them; JSON, @file, or - for stdin',
    )
    .option(
      '--file <field=path>',
      'a field of the payload that is a file: it goes to the store, and its reference into the payload; for several, repeat it',
      (given: string, before: string[] | undefined) => [...(before ?? []), given],
    )
    .option('--queue <name>', 'queue to put the job on (default: that of the job, or "default")')
    .option('--delay <time>', 'do not run before so long, such as 30s, 5m or 2h')
    .option('--priority <n>', '0 (first) to 2097151 (default: that of the job, or 0)')
    .option('--attempts <n>', 'runs before the job has failed (default: that of the job, or 1)')
    .option('--id <id>', 'id of the job: while one with it is kept, a second is not added')
    .option('--dedupe <id>', 'do not add while a job with this deduplication id waits or runs')
    .option('--dry-run', 'check, and print what would be added')
    .option('--wait', 'wait for the end of the job, and print what it returns')
    .option('--timeout <time>', 'with --wait or --follow: stop waiting after so long; the job goes on')
    .option('--follow', 'like --wait, and show progress and log lines meanwhile')
    .option('--no-schema', 'do not import the job or check the payload; the job need not be known here')
    .option('-h, --help', 'show this and, after the name of a job, the flags of its payload')
}

/** As `toJobsOptions` takes them. */
export function enqueueOptions(flags: EnqueueFlags): EnqueueOptions {
  const { id, queue, delay, priority, attempts, dedupe } = flags
  if (queue === '' || queue?.includes(':') === true)
    throw new RunnerError('USAGE', `--queue: got ${shorten(queue)}, a queue name is not empty and has no ":"`)
  return {
    ...(id === undefined ? {} : { id }),
    ...(queue === undefined ? {} : { queue }),
    ...(delay === undefined ? {} : { delay: durationOption('--delay', delay) }),
    ...(priority === undefined ? {} : { priority: whole('--priority', priority) }),
    ...(attempts === undefined ? {} : { attempts: whole('--attempts', attempts) }),
    ...(dedupe === undefined ? {} : { dedupe }),
  }
}

function whole(flag: string, text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text)
  throw new RunnerError('USAGE', `${flag}: got ${shorten(text)}, expected a whole number`)
}
