/**
 * NDJSON -> many jobs, as a stream: a chunk is checked while the one before it is being added, and no more is read
 * than that. A bad line is reported and left out; the others are added. A line is added at most once by this
 * command, but when the command ends early the chunks before are in Redis: the counts say how many.
 */
import type { Queue } from 'bullmq'
import { messageOf } from '../../errors.ts'
import { payloadJson } from '../../job/args.ts'
import type { StoredOptions } from '../../job/enqueue-options.ts'
import type { Verdict } from '../../job/loader-messages.ts'
import { jsonFault, shorten } from '../../job/problem.ts'
import { Redaction } from '../../job/redaction.ts'
import { keepFilesOf } from '../../redis/file-uses.ts'
import type { JobTarget } from '../../enqueue/job-target.ts'
import type { Line } from './lines.ts'
import { applyFlags, type Assignment } from './payload.ts'

const CHUNK = 500
/** Chunks on their way to Redis at once. */
const IN_FLIGHT = 4

export interface BulkOptions {
  target: JobTarget
  flags: readonly Assignment[]
  options: StoredOptions
  /** Fields whose values no message shows. */
  redact: readonly string[]
  /** Opened with the first good chunk; `undefined` for a dry run. */
  queue(): Promise<Queue | undefined>
  onBad(line: number, reason: { message: string; details?: unknown }): void
}

export interface BulkCounts {
  added: number
  bad: number
}

interface Candidate {
  line: number
  payload: unknown
  json: string
}

/** Rejects when Redis refuses a chunk; the error carries no counts, `counts` does, as far as it got. */
export async function addLines(
  lines: AsyncIterable<Line>,
  bulk: BulkOptions,
  counts: BulkCounts,
): Promise<void> {
  const inFlight = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined
  const send = async (good: Candidate[]) => {
    const queue = await bulk.queue()
    if (queue !== undefined) await queue.addBulk(await jobsOf(good, bulk, queue))
    counts.added += good.length
  }
  for await (const chunk of chunksOf(lines)) {
    const good = await checked(chunk, bulk, counts)
    if (good.length > 0) {
      const sending = send(good).catch((error: unknown) => void (failure ??= { error }))
      inFlight.add(sending)
      void sending.then(() => inFlight.delete(sending))
    }
    if (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight)
    if (failure !== undefined) break
  }
  await Promise.all(inFlight)
  if (failure !== undefined) throw failure.error
}

/** Those with files get ids here: the files are known to be used before the jobs are there. */
async function jobsOf(good: Candidate[], { target, options }: BulkOptions, queue: Queue) {
  const jobOf = async ({ payload, json }: Candidate) => {
    const jobId = await keepFilesOf(queue, { json, id: undefined })
    return { name: target.name, data: payload, opts: { ...options, ...(jobId !== undefined && { jobId }) } }
  }
  return Promise.all(good.map(jobOf))
}

async function* chunksOf(lines: AsyncIterable<Line>): AsyncGenerator<Line[]> {
  let chunk: Line[] = []
  for await (const line of lines) {
    chunk.push(line)
    if (chunk.length < CHUNK) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

/** The good lines of a chunk; the bad ones are reported, in order. */
async function checked(chunk: Line[], bulk: BulkOptions, counts: BulkCounts): Promise<Candidate[]> {
  const bad: [line: number, reason: NonNullable<Verdict>][] = []
  const candidates: Candidate[] = []
  for (const line of chunk) {
    try {
      candidates.push(candidateOf(line, bulk))
    } catch (error) {
      bad.push([line.number, { message: messageOf(error) }])
    }
  }
  const verdicts = await bulk.target.check(candidates.map(({ json }) => json))
  const good = candidates.filter(({ line }, i) => {
    const verdict = verdicts[i]
    if (verdict) bad.push([line, verdict])
    return !verdict
  })
  counts.bad += bad.length
  for (const [line, reason] of bad.sort(([a], [b]) => a - b)) bulk.onBad(line, reason)
  return good
}

function candidateOf({ number, text, cut }: Line, { flags, target, redact }: BulkOptions): Candidate {
  if (cut) {
    const beginning = new Redaction(redact).applyToText(text.slice(0, 60))
    throw new Error(`longer than a payload may be, begins with ${shorten(beginning)}`)
  }
  const payload = applyFlags(parse(text, redact), flags, redact)
  return { line: number, payload, json: payloadJson(target.name, payload, { redact }) }
}

function parse(text: string, redact: readonly string[]): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`not JSON: ${jsonFault(text, error, redact)}`, { cause: error })
  }
}
