/** What executors are started with, by the settings of a replica. */
import { databasesOf, placesOf, type Config } from '../config.ts'
import { queueNameOf } from '../queue-setting.ts'
import type { JobFile } from '../job/manifest.ts'
import { executorMemory } from './executor-memory.ts'
import type { ExecutorInit } from './port.ts'

export function executorInit(config: Config, files: JobFile[]): ExecutorInit {
  return {
    files,
    logLevel: config.logLevel,
    redact: config.redact,
    memory: executorMemory(config),
    settings: { databases: databasesOf(config), files: placesOf(config) },
    telemetry: config.telemetry,
    worked: workedBy(config),
  }
}

function workedBy({ queues, schedules }: Config): NonNullable<ExecutorInit['worked']> {
  if (queues.length > 0) return { queues: queues.map(queueNameOf), all: false }
  return { queues: Object.values(schedules).flatMap(({ queue }) => queue ?? []), all: true }
}
