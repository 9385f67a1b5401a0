/** A private PostgreSQL for one test file, on a free loopback port. */
import { execFileSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { DatabaseServer, postgresFolder } from './database-server.ts'
import { freePort } from './redis.ts'
import { copyOfTemplate } from './template.ts'

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
  copyOfTemplate(data, join(folder, 'initdb'), template => {
    const parent = dirname(template)
    if (user !== undefined) chownSync(parent, user.uid, user.gid)
    execFileSync(
      join(folder, 'initdb'),
      ['-D', template, '-U', 'test', '--auth=trust', '--no-sync', '--encoding=UTF8'],
      { ...user, env, stdio: 'ignore', cwd: parent },
    )
  })
  const port = await freePort()
  const url = `postgres://test@127.0.0.1:${port}/postgres`
  const settings = {
    fsync: 'off',
    max_connections: '200',
    unix_socket_directories: '',
    listen_addresses: '127.0.0.1',
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = await DatabaseServer.start({
    command: [join(folder, 'postgres'), '-D', data, '-p', String(port), ...flags],
    cwd: dir,
    user,
    env,
    answers: () => answers(url),
  })
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
    restart: () => server.restart(),
    async [Symbol.asyncDispose]() {
      await server.stop()
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
