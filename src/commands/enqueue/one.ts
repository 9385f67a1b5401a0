/** One payload -> one job and, on request, its outcome. */
import type { Config } from '../../config.ts'
import { ArgsError, RunnerError } from '../../errors.ts'
import { payloadJson } from '../../job/args.ts'
import type { EnqueueOptions } from '../../job/context.ts'
import { toJobsOptions } from '../../job/enqueue-options.ts'
import { DEFAULT_QUEUE } from '../../job/load.ts'
import { durationOption } from '../../units.ts'
import { addJob, type Addition } from '../../enqueue/addition.ts'
import type { FileInputs } from './file-flags.ts'
import { enqueueOptions, type EnqueueFlags } from './options.ts'
import type { JobTarget } from '../../enqueue/job-target.ts'
import { namedQueue } from '../../enqueue/queue-choice.ts'
import { applyFlags, type Assignment } from './payload.ts'
import type { CliContext } from '../verbs.ts'

export interface EnqueueRequest {
  config: Config
  context: CliContext
  flags: EnqueueFlags
  target: JobTarget
  assignments: readonly Assignment[]
}

/** Checks everything before it connects. */
export async function enqueueOne(request: EnqueueRequest, base: unknown): Promise<void> {
  const { config, context, flags, target } = request
  const { name } = target
  const files = await filesOf(request)
  const payloadWith = (assignments: readonly Assignment[]) =>
    applyFlags(base, [...request.assignments, ...assignments], config.redact)
  const payload = payloadWith(files.expected)
  const given = enqueueOptions(flags)
  const options = toJobsOptions(target.entry, given, option => `--${option}`)
  const named = namedQueue(given.queue, target.entry)
  const waits = flags.wait === true || flags.follow === true
  const timeout = timeoutOf(flags, waits)
  await check(target, payload, config.redact)
  // What the job's file opened at import is not kept open while its job is followed.
  await target.close()
  if (flags.dryRun === true) {
    const plan = { name, queue: named ?? DEFAULT_QUEUE, payload, options }
    return context.print(
      `would enqueue ${name} on queue ${plan.queue}\n${JSON.stringify(plan, null, 2)}`,
      plan,
    )
  }
  // BullMQ is half of what this command imports: not for what is refused or only shown.
  const { openQueue } = await import('../../enqueue/queue-client.ts')
  await using client = await openQueue(config, { named, job: name, ofFile: target.entry?.queue }, context)
  const events = waits ? await client.events() : undefined
  const stored = await files.store()
  const addition = await addJob(client.queue, name, payloadWith(stored.assignments), options).catch(
    async (error: unknown) => {
      await stored.discard(error)
      throw error
    },
  )
  if (!addition.added && stored.assignments.length > 0) {
    const { forgetFilesOf } = await import('../../redis/file-uses.ts')
    await forgetFilesOf(client.queue, JSON.stringify(stored.assignments))
    await stored.discard()
  }
  const queue = client.queue.name
  const line = addition.added
    ? `enqueued ${name} ${addition.id} on queue ${queue}`
    : ignored(addition, queue, given)
  if (events === undefined) return context.print(line, { ...addition, queue })
  // Stdout is for what the job returns.
  context.note(addition.added ? line : `${line}; what follows is of that earlier job`)
  const { follow } = await import('./follow.ts')
  await follow({ ...addition, queue, client, events, context, timeout, shows: flags.follow === true })
}

const NO_FILES: FileInputs = {
  expected: [],
  store: async () => ({ assignments: [], discard: async () => {} }),
}

/** Stores are loaded only for who gives files. */
export async function filesOf({ flags, target, config }: EnqueueRequest): Promise<FileInputs> {
  if (flags.file === undefined || target.entry === undefined) return NO_FILES
  const { readFileFlags } = await import('./file-flags.ts')
  return readFileFlags(flags.file, target.entry, config)
}

function ignored({ id, name }: Addition, queue: string, { id: given, dedupe }: EnqueueOptions): string {
  const why = dedupe === undefined || id === given ? '' : `, with deduplication id ${dedupe},`
  return `${name} ${id}${why} is on queue ${queue} already: nothing was added`
}

async function check(target: JobTarget, payload: unknown, redact: readonly string[]): Promise<void> {
  const [verdict] = await target.check([payloadJson(target.name, payload, { redact })])
  if (verdict) throw new ArgsError(verdict.message, { details: verdict.details })
}

export function timeoutOf({ timeout }: EnqueueFlags, waits: boolean): number | undefined {
  if (timeout === undefined) return undefined
  if (waits) return durationOption('--timeout', timeout)
  throw new RunnerError('USAGE', '--timeout goes with --wait or --follow', {
    hint: 'how long a job may run is said in its file, as timeout',
  })
}
