/** /v1/openapi.json: OpenAPI 3.1, made from the schemas that requests are checked by, and from those of the jobs. */
import { VERSION } from '../../version.ts'
import type { JobEntry } from '../../job/manifest.ts'
import { jobPaths } from './openapi-jobs.ts'
import { inPath, json, jsonSchema, operation, parametersOf, type Json } from './operation.ts'
import * as schemas from './schemas.ts'

const QUEUE_AND_ID = [inPath('queue', 'queue of the job'), inPath('id', 'id of the job')]

function paths(): Json {
  return {
    '/v1/jobs/{queue}/{id}': {
      get: operation({
        id: 'getJob',
        summary: 'All that is known of a job',
        scope: 'read',
        parameters: QUEUE_AND_ID,
        responses: { 200: json('Job', 'the job') },
      }),
      delete: operation({
        id: 'cancelJob',
        summary: 'Cancel a job, also one that runs',
        scope: 'operate',
        parameters: [...QUEUE_AND_ID, ...parametersOf(schemas.cancelQuery)],
        responses: { 200: json('Cancelled', 'what became of it') },
      }),
    },
    '/v1/jobs/{queue}/{id}/events': {
      get: operation({
        id: 'watchJob',
        summary: 'Server-sent events of a job, until it is over',
        scope: 'read',
        parameters: QUEUE_AND_ID,
        responses: {
          200: {
            description:
              'events state, active, progress, log, stalled, completed, failed, stopping and error',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          204: { description: 'Last-Event-ID was that of the last event' },
        },
      }),
    },
    '/v1/queues': {
      get: operation({
        id: 'listQueues',
        summary: 'What waits and runs in each queue',
        scope: 'read',
        responses: { 200: json('Queues', 'all queues') },
      }),
    },
    '/v1/migrations': {
      get: operation({
        id: 'listMigrations',
        summary: 'Runs of migrations, newest first',
        scope: 'read',
        parameters: parametersOf(schemas.migrationsQuery),
        responses: { 200: json('Migrations', 'the runs') },
      }),
    },
    '/v1/migrations/{run}': {
      get: operation({
        id: 'getMigration',
        summary: 'How far a run is',
        scope: 'read',
        parameters: [inPath('run', 'its id, or the name of a migration for its newest run')],
        responses: { 200: json('RunProgress', 'the run, and its shards') },
      }),
    },
  }
}

/** `jobs`: each has a path of its own, with the schema of its payload. */
export function openapiOf(jobs: readonly JobEntry[]): Json {
  const { paths: ofJobs, components } = jobPaths(jobs)
  return {
    openapi: '3.1.0',
    info: { title: 'bullmq-runner', version: VERSION, description: 'Jobs on BullMQ queues, over HTTP' },
    security: [{ bearer: [] }],
    paths: { ...ofJobs, ...paths() },
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'made by runner new token' },
      },
      schemas: {
        Problem: jsonSchema(schemas.problem),
        Enqueued: jsonSchema(schemas.enqueued),
        Job: jsonSchema(schemas.jobDetails),
        Cancelled: jsonSchema(schemas.cancelled),
        Queues: jsonSchema(schemas.queues),
        Migrations: jsonSchema(schemas.migrations),
        RunProgress: jsonSchema(schemas.runProgress),
        ...components,
      },
    },
  }
}
