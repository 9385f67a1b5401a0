/**
 * What libraries print by console.warn, in the form of the command that uses them. A process that owns locks runs no
 * user code, so nobody else prints there.
 */
import { format } from 'node:util'

/** Said by BullMQ of every connection; our own look at the server says it once, with its fix. To ask it not to look
 * (skipVersionCheck) would make it take the server for an old one, whose delays are whole seconds. */
const SAID_BY_US = /^IMPORTANT! Eviction policy is /

export function takeLibraryWarnings(write: (line: string) => void): void {
  console.warn = (...said: unknown[]) => {
    const line = format(...said)
    if (!SAID_BY_US.test(line)) write(line)
  }
}
