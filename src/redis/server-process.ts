/** The redis-server of the private folder as a child of the keeper: start, wait until it answers, end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { PrivateFolder } from './private-folder.ts'

const LOG_MAX_BYTES = 1024 * 1024
const POLL_MS = 10
/** Redis writes out its append-only file before it ends; after this long it is killed. Must exceed a slow disk's fsync. */
const STOP_MS = 10_000

export interface ServerProcess {
  readonly pid: number
  /** Settles when the server has ended, for whatever cause, with the last line of its log. */
  readonly ended: Promise<string>
  /** SIGTERM: what was written is on disk afterwards. `discard`: at once, the data is not wanted any more. */
  stop(discard?: boolean): Promise<void>
}

/** Returns when the server answers PING; loading its data may take a while. Throws with the last line of its log. */
export async function startServer(binary: string, folder: PrivateFolder): Promise<ServerProcess> {
  await endLeftover(folder.serverSocket)
  const child = launch(binary, folder)
  const ended = new Promise<string>(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('exit', (code, signal) =>
      resolve(lastLine(folder.serverLog) ?? `ended with ${code ?? signal}`),
    )
  })
  let over = false
  const reason = ended.then(line => {
    over = true
    return line
  })
  while ((await ask(folder.serverSocket, 'PING')) !== '+PONG') {
    if (over) throw new Error(await reason)
    await delay(POLL_MS)
  }
  return {
    pid: child.pid ?? 0,
    ended,
    async stop(discard = false) {
      child.kill(discard ? 'SIGKILL' : 'SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await ended
      clearTimeout(timer)
    },
  }
}

function launch(binary: string, { data, serverSocket, serverLog }: PrivateFolder): ChildProcess {
  try {
    if (statSync(serverLog).size > LOG_MAX_BYTES) truncateSync(serverLog)
  } catch {
    // There is no log yet.
  }
  // Its output, not --logfile: complaints about its own arguments come before a log file is open.
  const log = openSync(serverLog, 'a')
  const settings = {
    port: '0',
    unixsocket: serverSocket,
    unixsocketperm: '700',
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const child = spawn(binary, args, { cwd: data, stdio: ['ignore', log, log] })
  closeSync(log)
  return child
}

/**
 * A keeper that was SIGKILLed leaves its server running. Two servers on one append-only file would destroy it,
 * so the old one ends first; its users reconnect to the new one.
 */
async function endLeftover(path: string): Promise<void> {
  for (const deadline = Date.now() + STOP_MS; Date.now() < deadline; await delay(POLL_MS))
    if ((await ask(path, 'SHUTDOWN')) === undefined) return
  throw new Error('an earlier redis-server of this folder does not end')
}

/** First line of the reply, '' when it closes without one; undefined: nobody listens. */
async function ask(path: string, command: string): Promise<string | undefined> {
  const socket = connect(path)
  socket.setTimeout(STOP_MS, () => socket.destroy())
  try {
    await once(socket, 'connect')
    socket.write(`${command}\r\n`)
    const [reply] = await Promise.race([once(socket, 'data'), once(socket, 'close')])
    return Buffer.isBuffer(reply) ? reply.toString().split('\r\n')[0] : ''
  } catch {
    return undefined
  } finally {
    socket.destroy()
  }
}

function lastLine(file: string): string | undefined {
  return readFileSync(file, 'utf8').trim().split('\n').at(-1) || undefined
}
