/**
 * `POST /v1/jobs/{name}`. In this order: who asks, which job, which options, what kind of body; then the body; then Redis.
 * A 202 means that all of it is done: the files are stored and hashed, and the job is on its queue.
 */
import type { Context } from 'hono'
import type { FileRef } from '../../file-ref.ts'
import { payloadJson } from '../../job/args.ts'
import type { JobEntry } from '../../job/manifest.ts'
import { forgetFilesOf } from '../../redis/file-uses.ts'
import type { Turn } from '../../redis/idempotency.ts'
import { callerOf } from '../caller.ts'
import { nodeOf } from '../node-request.ts'
import { within } from '../patience.ts'
import { Problem } from '../problem.ts'
import { requestIdOf } from '../request-id.ts'
import type { Received } from '../upload/receive.ts'
import { requireKind } from './enqueue-options.ts'
import { formValues } from './form-values.ts'
import { mediaType, readJson, requireJson } from './json-body.ts'
import { fingerprintOf, keyOf, once, type Answer } from './once.ts'
import type { ApiParts } from './parts.ts'
import { place, queueFor, requirePlaceable, type Placement } from './placing.ts'
import { readQuery } from './query.ts'
import { enqueueQuery } from './schemas.ts'

/** Milliseconds for all that is asked of Redis, or of the database of a migration. */
const WRITE_MS = 15_000

/** Written down before it is done, for the try that comes after a crash. */
interface Intent {
  queue: string
  /** With files, whose places are other ones at each try. */
  payload?: unknown
}

interface Attempt {
  key: string | undefined
  form: Received | undefined
  /** The job may be there, or come there by the next try. */
  begun: boolean
  /** Nobody waits for it any more. */
  over: boolean
}

export function enqueueRoute(parts: ApiParts): (c: Context) => Promise<Response> {
  const { config, catalog, reach } = parts
  return async c => {
    const entry = await catalog.entry(c.req.param('name') ?? '')
    const query = readQuery(c, enqueueQuery)
    requireKind(query, entry)
    requirePlaceable({ config, entry, query })
    const key = keyOf(c, entry.name)
    const isForm = mediaType(c) === 'multipart/form-data'
    if (!isForm) requireJson(c)
    // Nobody sends a gigabyte to hear then that Redis is away.
    await reach.now()
    const form = isForm ? await receive(parts, c, entry) : undefined
    const attempt: Attempt = { key, form, begun: false, over: false }
    try {
      const payload = form === undefined ? await readJson(c, config.redact) : payloadOf(form, entry)
      const json = payloadJson(entry.name, payload, { redact: config.redact })
      refuseFiles(form === undefined ? json : JSON.stringify(form.fields))
      await catalog.check(entry.name, json)
      const reached = await reach.now()
      const by = callerOf(c).name
      const placement: Placement = { config, catalog, reached, entry, query, by }
      const fingerprint = fingerprintOf(['POST', entry.name, query, contentOf(payload)])
      const done = once({ reached, key, fingerprint }, turn => enqueue(placement, payload, attempt, turn))
      const answer = await within(WRITE_MS, done, () => unknownEnd(key))
      if (answer.replayed) {
        await form?.discard()
        c.header('idempotent-replayed', 'true')
      } else tell(parts, c, answer)
      return c.json(answer.body, 202, { location: answer.location })
    } catch (error) {
      // Where the job may be there, whatever was heard of it, its files have to be. Else they are swept.
      attempt.over = true
      if (!attempt.begun) await form?.discard()
      throw error
    }
  }
}

async function receive(parts: ApiParts, c: Context, job: JobEntry): Promise<Received> {
  const { incoming } = nodeOf(c)
  if (parts.receive === undefined || incoming === undefined)
    throw new Problem(415, 'CONTENT_TYPE', 'this gateway takes no files: send application/json')
  return parts.receive(incoming, { job, caller: callerOf(c), signal: parts.drain.ending })
}

function payloadOf({ fields, files }: Received, entry: JobEntry): Record<string, unknown> {
  return { ...formValues(fields, entry.schema), ...files }
}

async function enqueue(
  placement: Placement,
  payload: unknown,
  attempt: Attempt,
  turn: Turn | undefined,
): Promise<Answer> {
  const { key, form } = attempt
  const before = turn?.intent === undefined ? undefined : (JSON.parse(turn.intent) as Intent)
  if (before !== undefined) {
    // The files of the try before are where its job says, or will say, that they are.
    if (before.payload !== undefined) await form?.discard()
    begin(attempt)
    const { body, location } = await place(placement, before.queue, before.payload ?? payload, key)
    return { body: 'id' in body ? { ...body, added: true } : body, location }
  }
  const queue = await queueFor(placement)
  const intent: Intent = { queue, ...(form !== undefined && { payload }) }
  // Also an intent names the files: whoever comes after a failure here finds it, perhaps, and goes on with them.
  begin(attempt)
  if (turn !== undefined && !(await turn.intend(JSON.stringify(intent)))) {
    attempt.begun = false
    throw new Problem(409, 'KEY_RUNNING', 'another request with this key has taken over', { retryAfter: 1 })
  }
  const placed = await place(placement, queue, payload, key)
  if (form !== undefined && 'id' in placed.body && !placed.body.added) {
    // Of an id that is taken: the job that has it knows nothing of these files.
    await forgetFilesOf(placement.reached.queue(queue), JSON.stringify(payload))
    await form.discard()
  }
  return placed
}

/** Once its client was told that nothing came of it, and its files are gone, nothing may. */
function begin(attempt: Attempt): void {
  if (attempt.over) throw new Error('nobody waits for it any more')
  attempt.begun = true
}

/** Whoever could name a stored file by hand would get at those of others. JSON escapes no "$". */
function refuseFiles(json: string): void {
  if (json.includes('"$file":'))
    throw new Problem(422, 'FILE_REFUSED', 'a payload cannot name a stored file by itself', {
      hint: 'send the file with the request, as multipart/form-data',
    })
}

/** Files count by what is in them: where they are differs each time. */
function contentOf(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null) return payload
  if ('$file' in payload) {
    const { sha256, bytes, name } = payload as FileRef
    return { sha256, bytes, name }
  }
  if (Array.isArray(payload)) return payload.map(contentOf)
  return Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, contentOf(value)]))
}

function tell({ onChange }: ApiParts, c: Context, { body }: Answer): void {
  const { name, queue, added, ...of } = body as Record<string, unknown>
  if (added !== true) return
  const id = String(of['id'] ?? of['run'])
  const change = { change: 'enqueued', queue: String(queue), job: String(name), id } as const
  onChange({ request: requestIdOf(c), caller: callerOf(c).name, ...change })
}

function unknownEnd(key: string | undefined): Problem {
  return new Problem(
    504,
    'END_UNKNOWN',
    'Redis has gone silent: the job may be on its queue, or come there yet',
    {
      hint:
        key === undefined
          ? 'with an Idempotency-Key, or an id, it could be sent again without harm'
          : 'send it again with the same Idempotency-Key: it is done once',
      retryAfter: 5,
    },
  )
}
