/** The job that a command is about: what its file says, and a way to check payloads for it. */
import type { Config } from '../config.ts'
import { RunnerError, messageOf } from '../errors.ts'
import { checkArgs } from '../job/args.ts'
import { executableEntry } from '../job/load.ts'
import { openLoader } from '../job/loader.ts'
import type { Verdict } from '../job/loader-messages.ts'
import type { JobEntry } from '../job/manifest.ts'
import { findHandler, jobFiles, unknownJob } from './job-files.ts'

export interface JobTarget {
  name: string
  /** Absent when the file was not looked for. */
  entry?: JobEntry
  /** One verdict for each JSON text; `null` where it is fine. */
  check(payloads: string[]): Promise<Verdict[]>
  close(): Promise<void>
}

/**
 * Finds the file of `name` and imports it, and no other, in a thread; of an application its decorators are read, and nothing
 * of it is started. Throws JOB_UNKNOWN, or why it is broken.
 */
export async function openJob(config: Config, name: string): Promise<JobTarget> {
  const file = findHandler(config, name)
  if (file.kind === 'executable') return { ...anyJob(name), entry: executableEntry(file) }
  const loader = await openLoader([file], { redact: config.redact })
  const { jobs, broken } = loader.manifest
  const entry = jobs.find(job => job.name === name)
  if (entry !== undefined)
    return { name, entry, check: payloads => loader.check(name, payloads), close: () => loader.close() }
  await loader.close()
  const [fault] = broken
  if (fault === undefined) {
    const files = jobFiles(config).files.filter(({ kind }) => kind !== 'application')
    throw unknownJob(
      name,
      [...files, ...jobs].map(job => job.name),
    )
  }
  const { code, message, hint } = fault
  throw new RunnerError(code, message, hint === undefined ? {} : { hint })
}

/** A job whose file is not looked at: only what no payload may contain is refused. */
export function anyJob(name: string): JobTarget {
  const verdict = (json: string) =>
    checkArgs(name, undefined, JSON.parse(json)).then(
      () => null,
      (error: unknown) => ({ message: messageOf(error), details: (error as RunnerError).details }),
    )
  return { name, check: payloads => Promise.all(payloads.map(verdict)), close: async () => {} }
}
