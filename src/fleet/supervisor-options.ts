import type { Telemetry } from 'bullmq'
import type { Config } from '../config.ts'
import type { JobFile } from '../job/manifest.ts'
import type { Events } from '../observe/events.ts'
import type { RedisHandle } from '../redis/connection.ts'

export interface SupervisorOptions {
  config: Config
  redis: RedisHandle
  events: Events
  files: JobFile[]
  /** A pino line of a handler, for the process log. */
  onLine: (line: string) => void
  /** Jobs are traced by it. */
  telemetry?: Telemetry | undefined
}
