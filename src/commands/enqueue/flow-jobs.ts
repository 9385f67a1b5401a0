/** The jobs that a flow names: what their files say, and a way to check payloads for them. */
import type { Config } from '../../config.ts'
import { RunnerError } from '../../errors.ts'
import type { Flow } from '../../job/flow.ts'
import type { FlowJobs } from '../../job/flow-check.ts'
import { openLoader } from '../../job/loader.ts'
import type { BrokenFile } from '../../job/manifest.ts'
import { jobFiles } from '../../enqueue/job-files.ts'

interface OpenFlowJobs extends FlowJobs, AsyncDisposable {
  /** Ends the thread in which they are imported. Idempotent. */
  close(): Promise<void>
}

/** Imports the files of its jobs, and no other, in a thread; an application where a name is of no file. Throws why one is broken; a name that is not known may stay. */
export async function openFlowJobs(config: Config, flow: Flow): Promise<OpenFlowJobs> {
  const named = namesIn(flow)
  const { files: all, broken } = jobFiles(config)
  refuseBroken(broken.filter(({ name }) => named.has(name)))
  const files = all.filter(({ kind }) => kind !== 'application')
  const wanted = files.filter(({ name }) => named.has(name))
  const applications = all.filter(({ kind }) => kind === 'application' && wanted.length < named.size)
  const loader = await openLoader([...wanted, ...applications], { redact: config.redact })
  const { jobs, broken: failed } = loader.manifest
  if (failed.length > 0) await loader.close()
  refuseBroken(failed)
  const entries = new Map(jobs.map(entry => [entry.name, entry]))
  return {
    names: () => new Set([...files, ...jobs].map(({ name }) => name)).values(),
    entryOf: name => entries.get(name),
    check: (name, payloads) => loader.check(name, payloads),
    close: () => loader.close(),
    [Symbol.asyncDispose]: () => loader.close(),
  }
}

function namesIn({ job, children = [] }: Flow, names = new Set<string>()): Set<string> {
  names.add(job)
  for (const child of children) namesIn(child, names)
  return names
}

function refuseBroken([first]: readonly BrokenFile[]): void {
  if (first === undefined) return
  const { code, message, hint } = first
  throw new RunnerError(code, message, hint === undefined ? {} : { hint })
}
