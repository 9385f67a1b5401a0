/** A private MariaDB for one test file, on a free loopback port. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { DatabaseServer, mariadbFolder } from './database-server.ts'
import { freePort } from './redis.ts'
import { copyOfTemplate } from './template.ts'

export const hasMariadb = mariadbFolder() !== undefined

export async function startMariadb(): Promise<
  { url: string; restart: () => Promise<void> } & AsyncDisposable
> {
  const folder = mariadbFolder()
  if (folder === undefined) throw new Error('no MariaDB on this machine')
  const dir = mkdtempSync(join(tmpdir(), 'test-mariadb-'))
  const data = join(dir, 'data')
  const user = `--user=${userInfo().username}`
  copyOfTemplate(data, join(folder, 'mariadbd'), template =>
    execFileSync(
      'mariadb-install-db',
      [
        '--no-defaults',
        `--datadir=${template}`,
        user,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ],
      { stdio: 'ignore', cwd: dir },
    ),
  )
  const port = await freePort()
  const server = await DatabaseServer.start({
    command: [
      join(folder, 'mariadbd'),
      '--no-defaults',
      `--datadir=${data}`,
      user,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      `--socket=${join(dir, 'socket')}`,
      `--pid-file=${join(dir, 'pid')}`,
      '--innodb-flush-log-at-trx-commit=0',
      '--max-connections=300',
      '--character-set-server=utf8mb4',
      // To make the users of a test in one statement.
      '--max-recursive-iterations=10000000',
      // No time is known by name.
      '--skip-name-resolve',
    ],
    cwd: dir,
    answers: () => answers(`mysql://root@127.0.0.1:${port}/mysql`),
  })
  const admin = await createConnection(`mysql://root@127.0.0.1:${port}/mysql`)
  await admin.query('create database app')
  await admin.end()
  return {
    url: `mysql://root@127.0.0.1:${port}/app`,
    restart: () => server.restart(),
    async [Symbol.asyncDispose]() {
      await server.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const connection = await createConnection(url)
    await connection.end()
    return true
  } catch {
    return false
  }
}
