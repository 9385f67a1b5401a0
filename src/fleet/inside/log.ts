/** `ctx.log`: pino, whose lines go to the process log and, as a person reads them, to the job's log in Redis. */
import { pino } from 'pino'
import type { JobLog } from '../../job/context.ts'
import type { Run } from './run.ts'

export interface LogOptions {
  level: string
  /** Payload fields that are never shown, such as 'password' or 'card.number'. */
  redact: string[]
}

/** `onLine` gets each line twice: as pino's JSON, and as `INFO moved 500 rows {"table":"users"}`. */
export function openLog(
  run: Run,
  { level, redact }: LogOptions,
  onLine: (json: string, row: string) => void,
): JobLog {
  const write = (json: string) => onLine(json.trimEnd(), rowOf(json))
  const logger = pino({ level, base: null, redact: redactPaths(redact) }, { write }).child({
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

/** 'password' hides it where handlers commonly log it: at the top, in `args`, and one level down anywhere. */
function redactPaths(fields: string[]): string[] {
  return fields.flatMap(field => [field, `args.${field}`, `*.${field}`])
}

const LEVELS: Record<number, string> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
}

function rowOf(json: string): string {
  const {
    level,
    time: _time,
    msg,
    queue: _queue,
    job: _job,
    id: _id,
    attempt: _attempt,
    ...rest
  } = JSON.parse(json) as {
    level: number
    msg?: string
  } & Record<string, unknown>
  const fields = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`
  return `${LEVELS[level] ?? level} ${msg ?? ''}${fields}`.trimEnd()
}
