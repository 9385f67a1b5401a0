/** A database server for one test file: in a temporary folder, gone with the test process, however that ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const START_MS = 90_000

export interface ServerCommand {
  /** Program and arguments. */
  command: readonly string[]
  cwd: string
  user?: { uid: number; gid: number } | undefined
  env?: NodeJS.ProcessEnv
  /** Whether it takes connections. */
  answers: () => Promise<boolean>
}

export class DatabaseServer {
  readonly #options: ServerCommand
  #child: ChildProcess | undefined

  private constructor(options: ServerCommand) {
    this.#options = options
  }

  static async start(options: ServerCommand): Promise<DatabaseServer> {
    const server = new DatabaseServer(options)
    await server.#start()
    return server
  }

  async #start(): Promise<void> {
    const { command, cwd, user, env, answers } = this.#options
    // `read` ends with the test process, and takes the server along.
    const script =
      '"$@" & server=$!; (read _; kill -INT $server; kill -TERM $server) <&3 2>/dev/null & wait $server'
    const child = spawn('sh', ['-c', script, 'sh', ...command], {
      ...user,
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      detached: true,
    })
    this.#child = child
    const deadline = Date.now() + START_MS
    while (!(await answers())) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${command[0]} did not start`)
      await sleep(50)
    }
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const exited = once(child, 'exit')
    ;(child.stdio[3] as { end(): void } | null)?.end()
    if (child.exitCode === null) await exited
  }

  /** The server is ended and started again, with its data. */
  async restart(): Promise<void> {
    await this.stop()
    await this.#start()
  }
}

const DEBIAN = '/usr/lib/postgresql'

/** Folder that has all these programs: Debian keeps those of PostgreSQL off PATH, by version, and others in sbin. */
function folderOf(...programs: string[]): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).map(version => join(DEBIAN, version, 'bin')) : []
  const folders = [...versions.toReversed(), ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
  return folders.find(folder => programs.every(program => existsSync(join(folder, program))))
}

/** Folder of `initdb` and `postgres`; undefined: there is none. */
export const postgresFolder = (): string | undefined => folderOf('initdb', 'postgres')

/** Of `mariadbd`; undefined: there is none. */
export const mariadbFolder = (): string | undefined => folderOf('mariadbd')
