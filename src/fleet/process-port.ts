/**
 * An executor that is a child process: for native add-ons and for a hard end in any state (SIGKILL).
 * It ends by itself when its supervisor dies: the IPC channel closes, also after a SIGKILL of the supervisor;
 * a child that is blocked then notices when its event loop next turns.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { bytes } from '../units.ts'
import { importFlags } from '../job/import-flags.ts'
import { Outbox, splitBatch } from './batch.ts'
import { withoutHeapFlags } from './heap-flags.ts'
import { FROM, record } from './protocol.ts'
import type { OpenPort, PortExit } from './port.ts'
import { ProcessWatch } from './process-watch.ts'

const entry = new URL(`./inside/process${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

export const openProcess: OpenPort = (init, events) => {
  const mebibytes = Math.ceil(init.memory / bytes('1MiB'))
  const child = fork(entry, [], {
    execArgv: [...importFlags(), `--max-old-space-size=${mebibytes}`],
    env: withoutHeapFlags(process.env),
    // Descriptor 4 carries the last words: a pipe can be written synchronously by a process that is about to exit.
    // Descriptor 5 is of the thread inside that goes on while the main one is blocked.
    stdio: ['ignore', 'inherit', 'pipe', 'ipc', 'pipe', 'pipe'],
    // Ctrl-C of a terminal reaches the whole process group; only the supervisor may act on it.
    detached: true,
  })
  let words = ''
  let heapExhausted = false
  let spawnError: Error | undefined
  child.stdio[4]?.on('data', (chunk: Buffer) => (words += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => {
    // V8 says so on stderr before it aborts; there is no other sign that tells it from any SIGABRT.
    if (chunk.includes('JavaScript heap out of memory')) heapExhausted = true
    process.stderr.write(chunk)
  })
  child.on('message', batch => {
    for (const text of splitBatch(batch as string)) events.onRecord(text)
  })
  child.on('error', error => (spawnError = error))
  // A child that died has a closed channel before 'close' is seen here: what is sent in between is not lost work,
  // because every run of a dead executor is settled by its exit.
  const quiet = () => undefined
  child.once('close', (code, signal) => {
    if (words !== '') events.onRecord(record(FROM.dying, '', words))
    events.onExit(exitOf(code, signal, heapExhausted ? mebibytes : undefined, spawnError))
  })
  const watch = new ProcessWatch((child.stdio as unknown as Duplex[])[5] as Duplex)
  child.send(init, quiet)
  const outbox = new Outbox(batch => child.send(batch, quiet))
  return {
    ...(child.pid === undefined ? {} : { pid: child.pid }),
    send: text => outbox.push(text),
    // IPC wakes us by itself.
    glance: () => undefined,
    get beats() {
      return watch.beats
    },
    sight: () => watch.sight(),
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const closed = once(child, 'close')
      child.kill('SIGKILL')
      await closed
    },
  }
}

function exitOf(
  code: number | null,
  signal: string | null,
  heapLimit: number | undefined,
  error?: Error,
): PortExit {
  if (heapLimit !== undefined)
    return { cause: 'memory', message: `ran out of memory (heap limit ${heapLimit} MiB)` }
  if (signal !== null) return { cause: 'signal', signal, message: `was ended by ${signal}` }
  if (error !== undefined) return { cause: 'error', message: error.message }
  return { cause: 'exit', code: code ?? 0, message: `exited with code ${code}` }
}
