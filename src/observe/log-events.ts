/** Events to log lines. Payloads are never among them. */
import type { Logger } from 'pino'
import type { Events, FleetEvents, SilentEvent } from './events.ts'

const LEVELS = {
  'fleet.started': 'info',
  'fleet.quiet': 'info',
  'fleet.resumed': 'info',
  'fleet.reloaded': 'info',
  'fleet.stopping': 'info',
  'fleet.stopped': 'info',
  'job.completed': 'debug',
  'job.failed': 'warn',
  'job.delayed': 'debug',
  'job.handed-back': 'info',
  'job.timed-out': 'warn',
  'job.blocked': 'warn',
  'job.unblocked': 'warn',
  'job.solo': 'warn',
  'job.pardoned': 'info',
  'job.superseded': 'error',
  'job.reclaimed': 'info',
  'job.stalled': 'warn',
  'queue.lock-duration': 'info',
  'job.unknown': 'warn',
  'job.file-broken': 'error',
  'executor.abandoned': 'error',
  'executor.recycled': 'info',
  'executor.ended': 'warn',
  'http.listening': 'info',
  'dashboard.acted': 'info',
  'http.stopping': 'info',
  'api.changed': 'info',
  'api.fault': 'error',
  'worker.error': 'error',
  'redis.error': 'error',
  'redis.silent': 'warn',
  'redis.answers': 'info',
  'verdict.changed': 'debug',
  'replica.wedged': 'error',
  'worker.recreated': 'warn',
  'upload.started': 'debug',
  'upload.stored': 'info',
  'upload.refused': 'warn',
  'upload.aborted': 'warn',
  'upload.discarded': 'info',
} as const satisfies Record<Exclude<keyof FleetEvents, SilentEvent>, string>

type Level = (typeof LEVELS)[keyof typeof LEVELS]

/**
 * The same message of a queue is logged once in this many milliseconds; BullMQ repeats some thousands of times a second.
 * Of what Redis does to all queues alike, the kind is: each script words it differently.
 */
const REPEAT_EVERY = 10_000
const REPEATED: { [name in keyof FleetEvents]?: string[] } = {
  'worker.error': ['queue', 'message'],
  'redis.error': ['kind'],
}

/** An event below the logger's level is not even listened to, so it costs nothing to emit. */
export function logEvents(events: Events, logger: Logger): void {
  const repeats = new Map<string, number>()
  for (const [name, level] of Object.entries(LEVELS) as [keyof typeof LEVELS, Level][]) {
    if (!logger.isLevelEnabled(level)) continue
    const told = REPEATED[name]
    const listener = (fields?: object) => {
      if (told !== undefined && isRepeat(repeats, JSON.stringify([name, fields], told))) return
      logger[level]({ event: name, ...fields }, name)
    }
    events.on(name, listener)
  }
}

function isRepeat(repeats: Map<string, number>, text: string): boolean {
  const now = Date.now()
  const last = repeats.get(text)
  if (last !== undefined && now - last < REPEAT_EVERY) return true
  if (repeats.size > 100) repeats.clear()
  repeats.set(text, now)
  return false
}
