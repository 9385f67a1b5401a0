/** Entry of an executor that is a child process. */
import { writeSync } from 'node:fs'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Outbox, splitBatch } from '../batch.ts'
import type { ExecutorInit } from '../port.ts'
import { watchForEnd } from './culprit.ts'
import { Runtime } from './runtime.ts'

/** Pipe to the supervisor that can be written synchronously. */
const LAST_WORDS = 4

let flush = (): void => undefined
watchForEnd(words => {
  // Results of this turn first: they are kept, and their runs are not blamed. The channel is written synchronously
  // as far as it has room.
  flush()
  writeSync(LAST_WORDS, JSON.stringify(words))
})

// A supervisor that was killed takes its locks with it, so this process has to go as well, also when its loop is
// blocked: another replica starts its jobs as soon as the locks run out. A thread of its own looks who the parent is.
const watchParent = `
  const { workerData } = require('node:worker_threads')
  setInterval(() => { if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL') }, 250)
`
new Worker(watchParent, { eval: true, workerData: process.ppid, execArgv: [], name: 'parent-watch' }).unref()
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))

const [init] = (await once(process, 'message')) as [ExecutorInit]
const outbox = new Outbox(batch => process.send?.(batch))
flush = outbox.flush
const runtime = new Runtime(init, text => outbox.push(text))
process.on('message', batch => {
  for (const text of splitBatch(batch as string)) runtime.onRecord(text)
})
await runtime.load(init)
