/**
 * One measurement, in a process of its own: takes every job of a queue and says how long that took.
 *
 *   node bench/subject.ts <bare|sandbox|fleet> <queue> <concurrency> <jobs> <redis url>
 *
 * Prints {"ready":true} once it waits for jobs, then {"seconds","cpu","rss"}: wall seconds from the first job that
 * ended to the last, CPU seconds of the whole process over the same time, bytes of memory at its peak.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { resolveConfig } from '../src/config.ts'
import { Stopping } from '../src/fleet/stopping.ts'
import { Supervisor } from '../src/fleet/supervisor.ts'
import { discover } from '../src/job/discover.ts'
import { Events } from '../src/observe/events.ts'
import { openRedis } from '../src/redis/connection.ts'
import { spin } from './spin.ts'

const [kind = '', queue = '', concurrencyText, jobsText, url = ''] = process.argv.slice(2)
const concurrency = Number(concurrencyText)
const jobs = Number(jobsText)
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)

let ended = 0
let started = { at: 0, cpu: process.cpuUsage() }
const over = Promise.withResolvers<void>()

function onEnded(): void {
  if (++ended === 1) started = { at: performance.now(), cpu: process.cpuUsage() }
  if (ended === jobs) over.resolve()
}

async function bullmq(processor: (job: Job) => Promise<void> | URL): Promise<() => Promise<void>> {
  const connection = new Redis(url, { maxRetriesPerRequest: null })
  const file = new URL('./sandbox.ts', import.meta.url)
  const worker = new Worker(queue, kind === 'sandbox' ? file : (processor as never), {
    connection,
    concurrency,
    useWorkerThreads: true,
  })
  worker.on('completed', onEnded)
  await worker.waitUntilReady()
  return async () => {
    await worker.close()
    connection.disconnect()
  }
}

async function fleet(): Promise<() => Promise<void>> {
  const config = await resolveConfig({
    cwd: import.meta.dirname,
    env: {},
    flags: { redis: url, concurrency },
  })
  const redis = await openRedis(config)
  const events = new Events()
  const files = discover(['jobs'], import.meta.dirname).files
  const supervisor = new Supervisor({ config, redis, events, files, onLine: () => undefined })
  events.on('run.ended', onEnded)
  events.on('worker.error', error => console.error(error))
  await supervisor.start(() => ({ [queue]: concurrency }))
  return async () => {
    await new Stopping(supervisor, config, events).stop({ reason: 'measured', grace: 1_000 })
    await redis.close()
  }
}

const stop =
  kind === 'fleet'
    ? await fleet()
    : await bullmq(async job => {
        if (job.name === 'spin') spin()
        if (job.name === 'hold' && job.attemptsStarted === 1) await sleep((job.data as { ms: number }).ms)
      })
say({ ready: true })
await over.promise
const seconds = (performance.now() - started.at) / 1000
const { user, system } = process.cpuUsage(started.cpu)
await stop()
say({ seconds, cpu: (user + system) / 1e6, rss: process.resourceUsage().maxRSS * 1024 })
