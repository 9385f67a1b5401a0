/** Public API. */
export { job } from './job/define.ts'
export { file } from './job/file.ts'
export { migration } from './migration/definition.ts'
export { keyset } from './migration/keyset.ts'
export { csv } from './migration/csv.ts'
export { pages } from './migration/pages.ts'
export { once } from './migration/once.ts'
export { http, maxLag, query } from './migration/throttle.ts'
export { Retry, Snooze, Cancel, Unrecoverable } from './job/outcome.ts'
export { defineConfig } from './config.ts'
export type { JobOptions, JobDefinition, Backoff, Keep } from './job/define.ts'
export type { AddedFlow, Child, Flow, FlowIds, OnFail } from './job/flow.ts'
export type { CronSchedule, IntervalSchedule, Schedule } from './job/schedule.ts'
export type {
  Checkpoint,
  ChunksOptions,
  EnqueueOptions,
  JobContext,
  JobLog,
  MapOptions,
  Progress,
} from './job/context.ts'
export type {
  BatchContext,
  EndContext,
  MigrationOptions,
  RowContext,
  VerifyContext,
} from './migration/definition.ts'
export type { Bridge, Run } from './migration/bridge.ts'
export type { ThrottleSignal } from './migration/throttle.ts'
export type { KeysetOptions } from './migration/keyset.ts'
export type { CsvOptions } from './migration/csv.ts'
export type { Page } from './migration/pages.ts'
export type { Queryable } from './migration/database.ts'
export type { Batch, Cursor, Portion, Range, Source } from './migration/source.ts'
export type { Jsonified } from './job/jsonified.ts'
export type { FileOptions, FileRef } from './job/file.ts'
export type { ConfigFile } from './config.ts'
export type { Duration, Size } from './units.ts'
