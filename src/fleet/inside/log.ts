/** `ctx.log`: pino, whose lines go to the process log and, as a person reads them, to the job's log in Redis. */
import { pino } from 'pino'
import type { JobLog } from '../../job/context.ts'
import { Redaction } from '../../job/redaction.ts'
import type { Run } from './run.ts'

export interface LogOptions {
  level: string
  /** Payload fields that are never shown, such as 'password' or 'card.number'; at any depth of what is logged. */
  redact: string[]
}

/** `onLine` gets each line twice: as pino's JSON, and as `INFO moved 500 rows {"table":"users"}`. */
export function openLog(
  run: Run,
  { level, redact }: LogOptions,
  onLine: (json: string, row: string) => void,
): JobLog {
  const redaction = new Redaction(redact)
  const write = (json: string) => {
    const line = JSON.parse(json) as Line
    // pino's own redaction knows paths of a fixed depth only. Here the line is as it would be shown, with what child
    // loggers, serializers and errors have put into it.
    const shown = redaction.apply(line) as Line
    onLine(redaction.hidesNothing ? json.trimEnd() : JSON.stringify(shown), rowOf(shown))
  }
  const logger = pino({ level, base: null }, { write }).child({
    queue: run.queue,
    job: run.name,
    id: run.id,
    attempt: run.attempt,
  })
  const callable = async (row: string) => logger.info(row)
  // A function that answers with pino's members: `log('row')` as in BullMQ, `log.info(...)` as in pino.
  return new Proxy(callable as unknown as JobLog, {
    get: (_target, member) => {
      const value = Reflect.get(logger, member, logger) as unknown
      return typeof value === 'function' ? value.bind(logger) : value
    },
    set: (_target, member, value) => Reflect.set(logger, member, value),
  })
}

const LEVELS: Record<number, string> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
}

type Line = { level: number; msg?: string } & Record<string, unknown>

function rowOf(line: Line): string {
  const { level, time: _time, msg, queue: _queue, job: _job, id: _id, attempt: _attempt, ...rest } = line
  const fields = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`
  return `${LEVELS[level] ?? level} ${msg ?? ''}${fields}`.trimEnd()
}
