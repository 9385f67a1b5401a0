/** Start and stop on an empty queue, as whole processes: `runner work --drain` against the least bare worker. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface StartFigures {
  /** Seconds from spawn to exit. */
  bare: number
  fleet: number
}

const BARE = `
  import { Queue, Worker } from 'bullmq'
  import { Redis } from 'ioredis'
  const connection = new Redis(process.argv[1], { maxRetriesPerRequest: null })
  const worker = new Worker('empty', async () => {}, { connection })
  await worker.waitUntilReady()
  const queue = new Queue('empty', { connection })
  if ((await queue.getWaitingCount()) === 0) await worker.close()
  await queue.close()
  connection.disconnect()
`
const runner = new URL('../bin/runner.js', import.meta.url).pathname
const jobs = new URL('./jobs', import.meta.url).pathname

export async function measureStart(url: string): Promise<StartFigures> {
  return {
    bare: await timed(['--input-type=module', '-e', BARE, url]),
    fleet: await timed([runner, 'work', '--drain', '--redis', url, '--jobs', jobs, '--log-level', 'error']),
  }
}

async function timed(args: string[]): Promise<number> {
  const start = performance.now()
  const child = spawn(process.execPath, args, { stdio: 'inherit', cwd: import.meta.dirname })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
  return (performance.now() - start) / 1000
}
