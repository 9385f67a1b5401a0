/** The process log: pino JSON on stderr, pretty when stderr is a terminal. Data of commands goes to stdout, never here. */
import { pino, type Logger } from 'pino'
import pretty from 'pino-pretty'

export interface ProcessLog {
  logger: Logger
  /** Writes a line that is pino JSON already (from an executor). */
  writeLine: (line: string) => void
}

export function openLog(level: string): ProcessLog {
  const stream = process.stderr.isTTY
    ? pretty({
        destination: 2,
        sync: true,
        ignore: 'pid,hostname,event',
        // Node's own answer: it knows NO_COLOR, FORCE_COLOR and a dumb terminal.
        colorize: process.stderr.hasColors(),
      })
    : pino.destination({ dest: 2, sync: true })
  return { logger: pino({ level, base: null }, stream), writeLine: line => void stream.write(`${line}\n`) }
}
