/** An executor that is a worker thread: cheapest messages; ends a spin in milliseconds, native code only when it returns. */
import { Worker } from 'node:worker_threads'
import { bytes, formatMebibytes } from '../units.ts'
import { importFlags } from '../job/import-flags.ts'
import { beatMemory, readBeat } from './beat.ts'
import { freeThreadsOfHeapFlags } from './heap-flags.ts'
import type { ExecutorInit, OpenPort, PortExit } from './port.ts'
import { sight } from './sight.ts'
import { debugThread } from './thread-debuggee.ts'
import { Wire, type WireEnd } from './wire.ts'

const entry = new URL(`./inside/thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

export interface ThreadInit extends ExecutorInit {
  wire: WireEnd
  beat: SharedArrayBuffer
}

export const openThread: OpenPort = (init, events) => {
  const [ours, theirs] = Wire.ends()
  const beat = beatMemory()
  freeThreadsOfHeapFlags()
  const worker = new Worker(entry, {
    workerData: { ...init, wire: theirs, beat } satisfies ThreadInit,
    transferList: [theirs.side],
    execArgv: importFlags(),
    resourceLimits: { maxOldGenerationSizeMb: Math.ceil(init.memory / bytes('1MiB')) },
    name: 'executor',
  })
  const wire = new Wire(ours, () => worker.postMessage(0), events.onRecord, {
    isGlanceDue: events.isGlanceDue,
  })
  let failure: PortExit | undefined
  worker.on('message', () => wire.wake())
  worker.on('error', (error: NodeJS.ErrnoException) => {
    failure =
      error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? {
            cause: 'memory',
            message: `ran out of memory (heap limit ${formatMebibytes(init.memory)})`,
          }
        : { cause: 'error', message: error.message }
  })
  worker.once('exit', code => {
    // Its last words may still lie in the ring: the memory is ours as much as it was its.
    wire.drain()
    wire.close()
    events.onExit(failure ?? { cause: 'exit', code, message: `exited with code ${code}` })
  })
  return {
    send: text => wire.send(text),
    glance: () => wire.glance(),
    get beats() {
      return readBeat(beat)
    },
    sight: async () => sight(await debugThread(worker.threadId)),
    end: async () => void (await worker.terminate()),
  }
}
