/** Queues as settings name them: `mail`, or `mail:20` with a concurrency of its own. Queue names never contain ":". */
import { RunnerError } from './errors.ts'

/** 'mail:20' -> ['mail', 20]. */
export function readQueue(text: string, concurrency: number): [string, number] {
  const [, name, own] = /^([^:]+)(?::(\d+))?$/.exec(text) ?? []
  if (name === undefined || own === '0') {
    throw new RunnerError(
      'USAGE',
      `--queue: expected a name, or name:concurrency as in mail:20, got ${JSON.stringify(text)}`,
    )
  }
  return [name, own === undefined ? concurrency : Number(own)]
}

/** 'mail:20' -> 'mail'. Of whatever else, what is before its first ":". */
export const queueNameOf = (text: string): string => text.split(':', 1)[0] ?? ''
