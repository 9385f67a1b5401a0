/**
 * The private server, from the side of its users: join the one of this folder, or start it.
 * It lives in a detached keeper process (keeper.ts) that ends it with its last user; jobs stay in `.runner/`.
 * If the keeper or the server is killed, each user starts it again: clients see a short outage.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { RunnerError, messageOf } from '../errors.ts'
import { KEEPER_BUSY, type Lease, askKeeper } from './lease.ts'
import { type PrivateFolder, preparePrivateFolder } from './private-folder.ts'
import { findServerBinary, installCommand, typedCommand } from './server-binary.ts'

/** Runs from source and from dist/ alike. */
const KEEPER = fileURLToPath(new URL(`./keeper${extname(import.meta.url)}`, import.meta.url))
const START_MS = 30_000
const POLL_MS = 20
const REJOIN_MAX_MS = 2_000

export interface PrivateServer {
  /** Path of its unix socket; the same after each restart. */
  readonly socket: string
  /** 'redis-server' or 'valkey-server'. */
  readonly program: string
  /** This process is the one that started it. */
  readonly started: boolean
  /** Gives the lease back. Idempotent. */
  leave(): void
}

/** Returns when the server answers. Throws REDIS_SERVER_MISSING or REDIS_SERVER_FAILED. */
export async function joinPrivateServer(cwd: string): Promise<PrivateServer> {
  let { lease, started, answer } = await join(cwd, false)
  let left = false
  const hold = () =>
    lease.connection.once('close', () => {
      if (!left) void rejoin()
    })
  async function rejoin(): Promise<void> {
    let pause = POLL_MS
    // Nothing to tell on failure: the clients of this process report the outage, and we go on trying.
    const again = async (): Promise<Joined | undefined> => {
      if (left) return undefined
      const joined = await join(cwd, true).catch(() => undefined)
      if (joined !== undefined) return joined
      await delay(pause, undefined, { ref: false })
      pause = Math.min(pause * 2, REJOIN_MAX_MS)
      return again()
    }
    const joined = await again()
    if (joined === undefined) return
    lease = joined.lease
    if (left) lease.connection.destroy()
    else hold()
  }
  hold()
  return {
    socket: answer.socket,
    program: answer.program,
    started,
    leave() {
      left = true
      lease.connection.destroy()
    },
  }
}

interface Joined {
  lease: Lease
  answer: Exclude<Lease['answer'], { error: string }>
  started: boolean
}

async function join(cwd: string, background: boolean): Promise<Joined> {
  let folder: PrivateFolder
  try {
    folder = preparePrivateFolder(cwd)
  } catch (error) {
    // In a container neither is there, and only the server is what its user may give it.
    if (findServerBinary() === undefined) throw missing()
    throw failed(`.runner/ cannot be used: ${messageOf(error)}`)
  }
  let keeper: ChildProcess | undefined
  for (const deadline = Date.now() + START_MS; Date.now() < deadline;) {
    const lease = await askKeeper(folder.keeperSocket, background).catch((error: unknown) => {
      throw failed(`the server of this folder belongs to another user: ${messageOf(error)}`)
    })
    if (lease !== undefined) {
      const { answer } = lease
      if (!('error' in answer)) return { lease, answer, started: answer.keeper === keeper?.pid }
      lease.connection.destroy()
      throw failed(answer.error)
    }
    if (keeper === undefined) keeper = startKeeper(folder)
    else if (keeper.exitCode !== null || keeper.signalCode !== null) {
      // Busy: another keeper was first, or is just ending. Anything else it has told its log.
      if (keeper.exitCode !== KEEPER_BUSY && keeper.exitCode !== 0)
        throw failed(
          lastLine(folder.keeperLog) ?? `keeper ended with ${keeper.exitCode ?? keeper.signalCode}`,
        )
      keeper = startKeeper(folder)
    }
    await delay(POLL_MS, undefined, { ref: !background })
  }
  throw failed(`its keeper did not answer within ${START_MS / 1000} s`)
}

function startKeeper(folder: PrivateFolder): ChildProcess {
  const binary = findServerBinary()
  if (binary === undefined) throw missing()
  // What the user's shell set for its own Node (--inspect, --import) is not meant for the keeper.
  const { NODE_OPTIONS: _, ...env } = process.env
  const log = openSync(folder.keeperLog, 'a', 0o600)
  try {
    // detached = setsid: Ctrl-C of the terminal ends its users, not the server under them. No stream is inherited:
    // in `runner ... | cat` the pipe closes with runner.
    const keeper = spawn(process.execPath, [KEEPER, folder.data, binary.name, binary.path], {
      cwd: folder.data,
      env,
      detached: true,
      stdio: ['ignore', log, log],
    })
    keeper.on('error', () => undefined).unref()
    return keeper
  } finally {
    closeSync(log)
  }
}

function missing(): RunnerError {
  const install = installCommand()
  const fix = install === undefined ? 'install one' : `install one with \`${typedCommand(install)}\``
  return new RunnerError('REDIS_SERVER_MISSING', 'no redis-server or valkey-server found on PATH', {
    hint: `${fix}, or name a server elsewhere with --redis URL or REDIS_URL`,
  })
}

function failed(reason: string): RunnerError {
  return new RunnerError('REDIS_SERVER_FAILED', `the private Redis server failed: ${reason}`, {
    hint: 'see .runner/redis.log, or use another server with --redis URL',
  })
}

function lastLine(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').at(-1) || undefined
  } catch {
    return undefined
  }
}
