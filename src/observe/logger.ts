/** The process log: pino JSON on stderr, pretty when stderr is a terminal. Data of commands goes to stdout, never here. */
import type { Writable } from 'node:stream'
import { pino, type Logger } from 'pino'

export interface ProcessLog {
  logger: Logger
  /** Writes a line that is pino JSON already (from an executor). */
  writeLine: (line: string) => void
}

export async function openLog(level: string): Promise<ProcessLog> {
  const stream = process.stderr.isTTY ? await onTerminal() : pino.destination({ dest: 2, sync: true })
  return { logger: pino({ level, base: null }, stream), writeLine: line => void stream.write(`${line}\n`) }
}

/** Loaded only then: it is thirty files. */
async function onTerminal(): Promise<Writable> {
  const { default: pretty } = await import('pino-pretty')
  return pretty({
    destination: 2,
    sync: true,
    ignore: 'pid,hostname,event',
    // Node's own answer: it knows NO_COLOR, FORCE_COLOR and a dumb terminal.
    colorize: process.stderr.hasColors(),
  })
}
