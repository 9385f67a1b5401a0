/** Entry of an executor that is a child process. */
import { writeSync } from 'node:fs'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Outbox, splitBatch } from '../batch.ts'
import { beatMemory, startBeat } from '../beat.ts'
import type { ExecutorInit } from '../port.ts'
import { watchForEnd } from './culprit.ts'
import type { WatchData } from './process-watch.ts'
import { Runtime } from './runtime.ts'

/** Pipe to the supervisor that can be written synchronously. */
const LAST_WORDS = 4
/** Pipe of the watch thread. */
const WATCH = 5
const watchFile = new URL(
  `./process-watch${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
)

let flush = (): void => undefined
watchForEnd(words => {
  // Results of this turn first: they are kept, and their runs are not blamed. The channel is written synchronously
  // as far as it has room.
  flush()
  writeSync(LAST_WORDS, JSON.stringify(words))
})

const beat = beatMemory()
startBeat(beat)
new Worker(watchFile, {
  workerData: { parent: process.ppid, beat, pipe: WATCH } satisfies WatchData,
  execArgv: [],
  name: 'watch',
}).unref()
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))

const [init] = (await once(process, 'message')) as [ExecutorInit]
const outbox = new Outbox(batch => process.send?.(batch))
flush = outbox.flush
const runtime = new Runtime(init, text => outbox.push(text))
process.on('message', batch => {
  for (const text of splitBatch(batch as string)) runtime.onRecord(text)
})
await runtime.load(init)
