/**
 * A private Redis for one test file: a real server on a free loopback port with a temporary folder.
 * Nothing of it outlives the test process, not even when that is killed with SIGKILL or the server is frozen:
 * a watchdog shell holds the read end of a pipe that we hold open, and ends the server when the pipe closes.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, closeSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { findServerBinary } from '../../src/redis/server-binary.ts'

const START_MS = 90_000
const DEFAULT_ARGS = ['--save', '', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction']

export interface TestRedisOptions {
  /** Server arguments, after the defaults: `['--requirepass', 'x']`. */
  args?: string[]
  /** Text of a config file that takes the place of the default arguments (Sentinel wants one). */
  config?: string
  /** Default: a free one. */
  port?: number
  /** Data folder. Default: a temporary one, removed at the end; a given one stays. */
  dir?: string
}

export interface TestRedis extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Changes with restart(). */
  readonly pid: number
  readonly dir: string
  /** A new client; closed by stop(). It waits for ever, like the clients of a runner. */
  client(): Redis
  /** Ends the server at once and removes the temporary folder. Idempotent. */
  stop(): Promise<void>
  /** SIGTERM, `between`, then the same port, folder and data again. Clients reconnect by themselves. */
  restart(between?: () => unknown): Promise<void>
  /** SIGSTOP: the port accepts, nothing answers. */
  freeze(): void
  /** SIGCONT. */
  thaw(): void
  /** FLUSHALL. */
  flush(): Promise<void>
}

/**
 * Starts a server and waits until it answers. Throws with the server's log when it does not. A local one first, though an
 * engine may answer: it is there in milliseconds, most tests freeze, kill or restart its process by its pid, and nothing
 * of it is left when a test is killed. `TEST_REDIS=container` takes it from the engine, for tests that do none of this.
 */
export async function startRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  if (process.env['TEST_REDIS'] === 'container')
    return (await import('./redis-container.ts')).startRedisContainer(options, DEFAULT_ARGS)
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'test-redis-'))
  const removed = options.dir === undefined ? dir : ''
  const clients = new Set<Redis>()
  let port = options.port ?? (await freePort())
  let { server, watchdog } = await launch(port, dir, options).catch(async () => {
    // Somebody took the port between our look and the server's bind: once more, and now for good.
    port = options.port ?? (await freePort())
    return launch(port, dir, options)
  })
  let stopped: Promise<void> | undefined

  async function end(): Promise<void> {
    for (const client of clients) client.disconnect()
    await kill(server, 'SIGKILL')
    await kill(watchdog, 'SIGKILL')
    if (removed !== '') rmSync(removed, { recursive: true, force: true })
  }

  const redis: TestRedis = {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    get pid() {
      return server.pid ?? 0
    },
    client() {
      const client = new Redis({ port, maxRetriesPerRequest: null, retryStrategy: () => 50 })
      // Outages are part of many tests; without a listener ioredis prints each failed attempt.
      client.on('error', () => undefined)
      clients.add(client)
      return client
    },
    stop: () => (stopped ??= end()),
    async restart(between) {
      await kill(server, 'SIGTERM')
      await kill(watchdog, 'SIGKILL')
      await between?.()
      ;({ server, watchdog } = await launch(port, dir, options))
    },
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    async flush() {
      const client = redis.client()
      await client.flushall()
      client.disconnect()
      clients.delete(client)
    },
    [Symbol.asyncDispose]: () => redis.stop(),
  }
  return redis
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

/** Also ends a frozen server. While we wait, it keeps the test process alive; otherwise it never does. */
async function kill(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!isRunning(child)) return
  child.ref()
  const exited = once(child, 'exit')
  child.kill(signal)
  child.kill('SIGCONT')
  await exited
}

interface Launched {
  server: ChildProcess
  watchdog: ChildProcess
}

async function launch(
  port: number,
  dir: string,
  { args = [], config, dir: kept }: TestRedisOptions,
): Promise<Launched> {
  const binary = findServerBinary()
  if (binary === undefined) throw new Error('no redis-server on this machine: npm run ensure-redis')
  const file = join(dir, 'redis.conf')
  if (config !== undefined) writeFileSync(file, config)
  const log = openSync(join(dir, 'redis.log'), 'a')
  const server = spawn(
    binary.path,
    [
      ...(config === undefined ? [] : [file]),
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      dir,
      ...(config === undefined ? DEFAULT_ARGS : []),
      ...args,
    ],
    // Detached: Ctrl-C belongs to the test run, which then ends the server.
    { detached: true, stdio: ['ignore', log, log] },
  )
  closeSync(log)
  server.unref()
  server.on('error', () => undefined)
  const watchdog = watch(server, kept === undefined ? dir : '')
  const deadline = Date.now() + START_MS
  while (!(await answers(port))) {
    if (isRunning(server) && Date.now() < deadline) {
      await delay(5)
      continue
    }
    await kill(server, 'SIGKILL')
    await kill(watchdog, 'SIGKILL')
    throw new Error(`redis-server did not start:\n${readFileSync(join(dir, 'redis.log'), 'utf8')}`)
  }
  return { server, watchdog }
}

/** Any reply but LOADING counts: a server that asks for a password is up. */
function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.once('data', reply => {
      socket.destroy()
      resolve(!reply.toString().startsWith('-LOADING'))
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}

/** Not the test process itself: a `process.on('exit')` hook does not run under SIGKILL. */
function watch(server: ChildProcess, removed: string): ChildProcess {
  const script = 'read _; kill -9 "$1" 2>/dev/null; [ -z "$2" ] || rm -rf "$2"'
  const watchdog = spawn('sh', ['-c', script, 'sh', String(server.pid), removed], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watchdog.unref()
  ;(watchdog.stdin as unknown as { unref?(): void } | null)?.unref?.()
  return watchdog
}
