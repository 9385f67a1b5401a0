/** A private PostgreSQL for one test file: on a free loopback port, in a temporary folder, gone with the test process. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './redis.ts'
import { postgresFolder } from './postgres-binary.ts'

const START_MS = 20_000

export interface TestPostgres extends AsyncDisposable {
  readonly url: string
  /** One query on a connection of its own. */
  query<Of = Record<string, unknown>>(sql: string, params?: unknown[]): Promise<Of[]>
  /** The server is ended at once and started again, with its data. */
  restart(): Promise<void>
}

export const hasPostgres = postgresFolder() !== undefined

export async function startPostgres(): Promise<TestPostgres> {
  const folder = postgresFolder()
  if (folder === undefined) throw new Error('no PostgreSQL on this machine')
  const dir = mkdtempSync(join(tmpdir(), 'test-postgres-'))
  const user = serverUser()
  if (user !== undefined) chownSync(dir, user.uid, user.gid)
  const data = join(dir, 'data')
  const env = { ...process.env, LC_ALL: 'C.UTF-8' }
  execFileSync(
    join(folder, 'initdb'),
    ['-D', data, '-U', 'test', '--auth=trust', '--no-sync', '--encoding=UTF8'],
    { ...user, env, stdio: 'ignore', cwd: dir },
  )
  const port = await freePort()
  const url = `postgres://test@127.0.0.1:${port}/postgres`
  const start = async (): Promise<ChildProcess> => {
    const settings = {
      fsync: 'off',
      max_connections: '200',
      unix_socket_directories: '',
      listen_addresses: '127.0.0.1',
    }
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    // `read` ends with the test process, however that ends, and takes the server along.
    const child = spawn(
      'sh',
      ['-c', '"$@" & server=$!; (read _; kill -INT $server) <&3 & wait $server', 'sh'].concat(
        join(folder, 'postgres'),
        ['-D', data, '-p', String(port), ...flags],
      ),
      { ...user, env, cwd: dir, stdio: ['ignore', 'ignore', 'ignore', 'pipe'], detached: true },
    )
    const deadline = Date.now() + START_MS
    while (!(await answers(url))) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error('PostgreSQL did not start')
      await sleep(50)
    }
    return child
  }
  const stop = async (child: ChildProcess) => {
    const exited = once(child, 'exit')
    ;(child.stdio[3] as { end(): void } | null)?.end()
    if (child.exitCode === null) await exited
  }
  let server = await start()
  return {
    url,
    async query<Of>(sql: string, params: unknown[] = []) {
      const client = new pg.Client(url)
      await client.connect()
      try {
        return (await client.query(sql, params)).rows as Of[]
      } finally {
        await client.end()
      }
    },
    async restart() {
      await stop(server)
      server = await start()
    },
    async [Symbol.asyncDispose]() {
      await stop(server)
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** PostgreSQL refuses to run as root; the package made a user for it. */
function serverUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = ['-u', '-g'].map(flag =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })),
  )
  return { uid: uid as number, gid: gid as number }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client(url)
  // A server that goes while we are connected tells us so.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}
