/** A process of bench/subject.ts. Says {"ready":true} when it waits for jobs. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Kind } from './measure.ts'

export interface Subject {
  child: ChildProcessByStdio<null, Readable, null>
  /** What it says next. */
  says(): Promise<unknown>
}

export async function startSubject(
  kind: Kind,
  queue: string,
  concurrency: number,
  jobs: number,
  url: string,
): Promise<Subject> {
  const file = new URL('./subject.ts', import.meta.url).pathname
  const args = [kind, queue, String(concurrency), String(jobs), url]
  const child = spawn(
    process.execPath,
    ['--no-warnings', '--conditions=@bullmq-runner/source', file, ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const says = async () => JSON.parse((await lines.next()).value as string) as unknown
  await says()
  return { child, says }
}
