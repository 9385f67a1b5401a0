/**
 * Thread of a child process that goes on while its main thread is blocked: ends the process when its supervisor is
 * gone, tells the supervisor whether the main loop turns, and takes the main thread's stack when it is asked to.
 *
 * Speaks through a pipe of its own: `beat` lines, and for each `look` it reads one line of JSON, a Sighting, as soon as
 * the main thread can be paused.
 */
import { Session } from 'node:inspector'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { workerData } from 'node:worker_threads'
import { BEAT, readBeat } from '../beat.ts'
import { sight, type Debuggee } from '../sight.ts'

export interface WatchData {
  parent: number
  beat: SharedArrayBuffer
  /** Descriptor of the pipe. */
  pipe: number
}

const { parent, beat, pipe } = workerData as WatchData
const socket = new Socket({ fd: pipe })
const lines = createInterface({ input: socket })
// The supervisor is gone, or is about to be noticed to be. An interface repeats the errors of its input: unheard, one
// would end this thread, and nothing would end a process that spins.
socket.on('error', () => undefined)
lines.on('error', () => undefined)

// A supervisor that was killed takes its locks with it, so this process has to go as well, also when its loop is
// blocked: another replica starts its jobs as soon as the locks run out.
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
}, 250)

let last = 0
setInterval(() => {
  const now = readBeat(beat)
  if (now === last) return
  last = now
  socket.write('beat\n')
}, BEAT)

lines.on('line', () => {
  sight(mainThread()).then(
    sighting => socket.write(`${JSON.stringify(sighting)}\n`),
    () => undefined,
  )
})

function mainThread(): Debuggee {
  const session = new Session()
  session.connectToMainThread()
  return {
    post: (method, params) =>
      new Promise((resolve, reject) =>
        session.post(method, params, (error, result) => (error === null ? resolve(result) : reject(error))),
      ),
    // This thread would be gone with it.
    ended: new Promise(() => undefined),
    onEvent: listener =>
      void session.on('inspectorNotification', ({ method, params }) => listener(method, params)),
    // An open session would keep the process from exiting: Node waits for the debugger.
    close: async () => session.disconnect(),
  }
}
