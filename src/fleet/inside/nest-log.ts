/** What an application logs through NestJS goes to the log of the replica, with the level that the replica logs at. */
import type { LoggerService } from '@nestjs/common'
import { pino } from 'pino'
import { Redaction } from '../../job/redaction.ts'
import type { LogOptions } from './log.ts'

/** What NestJS itself tells of each start, in every executor. */
const STARTING = new Set(['NestFactory', 'InstanceLoader'])

/** `onLine` gets each line as pino's JSON. The last argument of a call names its context, where it is a text. */
export function nestLog({ level, redact }: LogOptions, onLine: (json: string) => void): LoggerService {
  const redaction = new Redaction(redact)
  const write = (json: string) =>
    onLine(redaction.hidesNothing ? json.trimEnd() : JSON.stringify(redaction.apply(JSON.parse(json))))
  const logger = pino({ level, base: null }, { write })
  const say = (as: 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'trace') => {
    return (message: unknown, ...rest: unknown[]): void => {
      const context = typeof rest.at(-1) === 'string' ? (rest.pop() as string) : undefined
      const quiet = as === 'info' && context !== undefined && STARTING.has(context)
      const fields = {
        ...(context !== undefined && { context }),
        ...(message instanceof Error && { err: message }),
        ...(typeof message === 'object' && !(message instanceof Error) && { message }),
        // A stack, or whatever else was handed over.
        ...(rest.length > 0 && { more: rest.length === 1 ? rest[0] : rest }),
      }
      logger[quiet ? 'debug' : as](fields, textOf(message))
    }
  }
  return {
    log: say('info'),
    error: say('error'),
    warn: say('warn'),
    debug: say('debug'),
    verbose: say('trace'),
    fatal: say('fatal'),
  }
}

function textOf(message: unknown): string {
  if (message instanceof Error) return message.message
  return typeof message === 'string' ? message : typeof message === 'object' ? '' : JSON.stringify(message)
}
