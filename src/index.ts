/** The public API. No logic here. */
export { defineConfig, type Config, type ConfigFile } from './config.ts'
export {
  ArgsError,
  CrashError,
  CrashLoopError,
  NoHandlerError,
  RunnerError,
  TimeoutError,
  type ErrorCode,
} from './errors.ts'
export type { EnqueueOptions, JobContext, JobLog } from './job/context.ts'
export { job, type Backoff, type JobDefinition, type JobOptions, type Keep } from './job/define.ts'
export { Cancel, Retry, Snooze, Unrecoverable } from './job/outcome.ts'
export type { Duration, Size } from './units.ts'
