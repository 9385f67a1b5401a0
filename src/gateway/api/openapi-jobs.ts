/** A path for each job, and one for any: what its payload is, as JSON and, where it takes files, as a form. */
import type { JobEntry } from '../../job/manifest.ts'
import { inPath, json, operation, parametersOf, type Json } from './operation.ts'
import { enqueueQuery } from './schemas.ts'

const KEY: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'the same key, the same answer: for 24 hours',
  schema: { type: 'string', maxLength: 255 },
}

const NAME = inPath('name', 'of the job; it may have slashes')

export function jobPaths(jobs: readonly JobEntry[]): { paths: Json; components: Json } {
  const components: Json = {}
  const paths: Json = { '/v1/jobs/{name}': { post: post('enqueueJob', undefined, {}, [NAME]) } }
  for (const job of jobs) {
    const name = componentName(job.name, components)
    const at = `#/components/schemas/${name}`
    components[name] = rebased(job.schema ?? {}, at)
    paths[`/v1/jobs/${job.name}`] = { post: post(`enqueue_${name}`, job, { $ref: at }, []) }
  }
  return { paths, components }
}

function post(id: string, job: JobEntry | undefined, schema: Json, parameters: Json[]): Json {
  const files = job?.files
  const content =
    files === undefined
      ? { 'application/json': { schema } }
      : { 'multipart/form-data': { schema: formOf(job?.schema ?? {}, files) } }
  return operation({
    id,
    summary: job?.description ?? (job === undefined ? 'Enqueue a job' : `Enqueue ${job.name}`),
    scope: 'enqueue',
    parameters: [...parameters, KEY, ...parametersOf(enqueueQuery)],
    more: { requestBody: { required: false, content } },
    responses: {
      202: {
        ...json('Enqueued', 'it is on its queue, and its files are stored'),
        headers: {
          Location: { description: 'of the job, or the run', schema: { type: 'string' } },
          'Idempotent-Replayed': { description: 'it was answered before', schema: { type: 'string' } },
        },
      },
    },
  })
}

/** The fields of the payload; a file is binary, and everything else text, or a part that declares to be JSON. */
function formOf(schema: Json, files: NonNullable<JobEntry['files']>): Json {
  const properties = { ...(schema['properties'] as Json | undefined) }
  for (const [name, { types, list }] of Object.entries(files)) {
    const file: Json = {
      type: 'string',
      format: 'binary',
      ...(types !== undefined && { contentMediaType: types.join(', ') }),
    }
    properties[name] = list === true ? { type: 'array', items: file } : file
  }
  const required = (schema['required'] as string[] | undefined) ?? []
  return { type: 'object', properties, ...(required.length > 0 && { required }) }
}

/** References within the schema of a job are within its component then. */
function rebased(value: unknown, at: string): unknown {
  if (Array.isArray(value)) return value.map(one => rebased(one, at))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key]) => key !== '$schema')
  return Object.fromEntries(
    entries.map(([key, inner]) =>
      key === '$ref' && typeof inner === 'string' && inner.startsWith('#')
        ? [key, at + inner.slice(1)]
        : [key, rebased(inner, at)],
    ),
  )
}

/** 'emails/send' -> 'job.emails_send': a component has few signs in its name. */
function componentName(job: string, taken: Json): string {
  const name = `job.${job.replaceAll(/[^\w.-]/g, '_')}`
  for (let i = 1; ; i++) {
    const free = i === 1 ? name : `${name}_${i}`
    if (!Object.hasOwn(taken, free)) return free
  }
}
