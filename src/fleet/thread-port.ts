/** An executor that is a worker thread: cheapest messages; ends a spin in milliseconds, native code only when it returns. */
import { Worker } from 'node:worker_threads'
import { bytes } from '../units.ts'
import { importFlags } from '../job/import-flags.ts'
import type { OpenPort, PortExit } from './port.ts'

const entry = new URL(`./inside/thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

export const openThread: OpenPort = (init, events) => {
  const worker = new Worker(entry, {
    workerData: init,
    execArgv: importFlags(),
    resourceLimits: { maxOldGenerationSizeMb: Math.ceil(init.memory / bytes('1MiB')) },
    name: 'executor',
  })
  let failure: PortExit | undefined
  worker.on('message', events.onBatch)
  worker.on('error', (error: NodeJS.ErrnoException) => {
    failure =
      error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? {
            cause: 'memory',
            message: `ran out of memory (heap limit ${Math.round(init.memory / bytes('1MiB'))} MiB)`,
          }
        : { cause: 'error', message: error.message }
  })
  worker.once('exit', code => {
    events.onExit(failure ?? { cause: 'exit', code, message: `exited with code ${code}` })
  })
  return {
    send: batch => worker.postMessage(batch),
    end: async () => void (await worker.terminate()),
  }
}
