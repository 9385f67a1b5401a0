/**
 * The keeper: a small detached process that owns the private server of one `.runner/` folder.
 * `node keeper.ts <.runner folder> <program name> <program path>`; embedded.ts starts it, lease.ts is its protocol.
 *
 *   lock taken -> listening -> server ready -> (leases come and go) -> none for 1 s -> server ended -> exit
 *        `-- taken by another: exit KEEPER_BUSY
 *
 * Guaranteed: one keeper and one server per folder, however many users start at the same time.
 * If the server ends by itself, so does the keeper; users that are left start a new one.
 */
import { once } from 'node:events'
import { rmSync, statSync } from 'node:fs'
import { type Socket, createServer } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { FIRST_LEASE_MS, KEEPER_BUSY, type KeeperAnswer, LINGER_MS } from './lease.ts'
import { privateFolder } from './private-folder.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { messageOf } from '../errors.ts'

const [data = '', program = '', binary = ''] = process.argv.slice(2)
// Sockets, logs and data: for this user only.
process.umask(0o077)

process.on('uncaughtException', error => {
  // One line: a user that waits for us reads the last one.
  console.error(error.message)
  process.exit(1)
})

const FLUSH_MS = 500
const folder = privateFolder(data)
const lock = takeLock()
const inode = statSync(folder.lock).ino
const leases = new Set<Socket>()
let answer: KeeperAnswer | undefined
let server: ServerProcess | undefined
let ending = false
let lingering: NodeJS.Timeout | undefined

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void end(0))

// We hold the lock, so a socket file that is there is a dead keeper's.
rmSync(folder.keeperSocket, { force: true })
createServer(accept)
  .on('error', error => {
    console.error(error.message)
    void end(1)
  })
  // Before the server is started: users that come meanwhile wait here instead of starting keepers.
  .listen(folder.keeperSocket)
try {
  server = await startServer(binary, folder)
  tell({ socket: folder.serverSocket, keeper: process.pid, pid: server.pid, program })
  linger(FIRST_LEASE_MS)
  const line = await server.ended
  if (!ending) console.error(`the server ended: ${line}`)
} catch (error) {
  console.error(messageOf(error))
  tell({ error: messageOf(error) })
}
await end(1)

/**
 * Node has no flock(), and a lock file with a process id in it cannot be taken over without a race. SQLite's lock is the
 * kernel's: it is gone with its process, whatever ended that. The database stays empty.
 */
function takeLock(): DatabaseSync {
  const database = new DatabaseSync(folder.lock, { timeout: 0 })
  try {
    // In memory: no journal file beside it.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    const { errcode } = error as { errcode?: number }
    if (errcode === 5) process.exit(KEEPER_BUSY)
    throw error
  }
}

function accept(connection: Socket): void {
  leases.add(connection)
  clearTimeout(lingering)
  connection.on('error', () => connection.destroy())
  connection.on('close', () => {
    leases.delete(connection)
    linger(LINGER_MS)
  })
  // Reading shows when the user is gone.
  connection.resume()
  // While ending: no answer; the user starts a new keeper when we are gone.
  if (answer !== undefined && !ending) send(connection, answer)
}

function tell(what: KeeperAnswer): void {
  answer = what
  for (const connection of leases) send(connection, what)
}

function send(connection: Socket, what: KeeperAnswer): void {
  connection.write(`${JSON.stringify(what)}\n`)
}

async function flush(connection: Socket): Promise<void> {
  connection.destroySoon()
  if (!connection.closed) await once(connection, 'close')
}

function linger(ms: number): void {
  clearTimeout(lingering)
  if (leases.size === 0 && answer !== undefined) lingering = setTimeout(() => void end(0), ms)
}

/** Ends the server, then this process. The lock is held to the last, so the next keeper finds a quiet folder. */
async function end(code: number): Promise<void> {
  if (ending) return
  ending = true
  // Somebody removed .runner/ and may have a new server in its place already: that one's sockets are not ours to unlink,
  // and a dying Redis unlinks by name unless it is killed.
  const ours = statSync(folder.lock, { throwIfNoEntry: false })?.ino === inode
  await server?.stop(!ours)
  if (ours) rmSync(folder.keeperSocket, { force: true })
  // Flushes answers that are still on their way; closing the sockets says "ask the next keeper".
  await Promise.race([Promise.all([...leases].map(flush)), delay(FLUSH_MS)])
  lock.close()
  process.exit(code)
}
