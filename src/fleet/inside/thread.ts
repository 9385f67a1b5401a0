/** Entry of an executor that is a worker thread. */
import { parentPort, workerData } from 'node:worker_threads'
import { startBeat } from '../beat.ts'
import { FROM, record } from '../protocol.ts'
import type { ThreadInit } from '../thread-port.ts'
import { Wire } from '../wire.ts'
import { watchForEnd } from './culprit.ts'
import { Runtime } from './runtime.ts'

if (parentPort === null) throw new Error('this file is the entry of a worker thread')
const port = parentPort
const init = workerData as ThreadInit
startBeat(init.beat)

const wire: Wire = new Wire(
  init.wire,
  () => port.postMessage(0),
  text => runtime.onRecord(text),
  { mayNap: () => runtime.isIdle, reminds: true },
)
/** Milliseconds that a dying thread waits for room in its ring: the supervisor's loop is never blocked for long. */
const LAST_WORDS = 2_000

// What is written before the thread exits is read after it did: the supervisor drains the ring of a dead thread.
watchForEnd(words => {
  wire.send(record(FROM.dying, '', JSON.stringify(words)))
  wire.flush(LAST_WORDS)
})
const runtime = new Runtime(init, text => wire.send(text))
port.on('message', () => wire.wake())
await runtime.load(init)
