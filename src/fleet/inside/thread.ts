/** Entry of an executor that is a worker thread. */
import { parentPort, workerData } from 'node:worker_threads'
import type { ExecutorInit } from '../port.ts'
import { FROM, record } from '../protocol.ts'
import { watchForEnd } from './culprit.ts'
import { Runtime } from './runtime.ts'

if (parentPort === null) throw new Error('this file is the entry of a worker thread')
const port = parentPort
const init = workerData as ExecutorInit

const send = (batch: string) => port.postMessage(batch)
// A message posted before the thread exits is delivered before its 'exit' event.
watchForEnd(words => send(record(FROM.dying, '', JSON.stringify(words))))
const runtime = new Runtime(init, send)
port.on('message', runtime.onBatch)
await runtime.load(init.files)
