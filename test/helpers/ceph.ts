/**
 * A private Ceph: a monitor, one OSD that keeps everything in memory, and the RADOS gateway, an S3 that checks signatures,
 * lists parts and refuses what it should. On free loopback ports, in a temporary folder. Nothing of it outlives the
 * process that started it, however that ends: a watchdog shell reads the pids from a pipe that we hold open, and ends
 * them when the pipe closes.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findCeph } from './ceph-programs.ts'
import { cephConfig, keyring } from './ceph-config.ts'
import { freePort } from './redis.ts'

const START_MS = 120_000

export interface TestCeph extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`; buckets are in the path. */
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of its daemons. */
  readonly pids: readonly number[]
}

/** Ten to twenty seconds: the gateway makes its pools. Throws with the daemons' logs when it does not answer. */
export async function startCeph(): Promise<TestCeph> {
  const programs = findCeph()
  if (programs === undefined) throw new Error('no Ceph on this machine: node test/helpers/ensure-ceph.ts')
  const dir = mkdtempSync(join(tmpdir(), 'test-ceph-'))
  const [monitor, port] = [await freePort(), await freePort()]
  const fsid = randomUUID()
  writeFileSync(join(dir, 'ceph.conf'), cephConfig({ dir, fsid, port: monitor, settings: programs.settings }))
  writeFileSync(join(dir, 'keyring'), keyring(), { mode: 0o600 })
  for (const folder of ['mon', 'osd']) mkdirSync(join(dir, folder))
  const env = { ...process.env, ...programs.env, CEPH_CONF: join(dir, 'ceph.conf') }
  const run = async (program: string, ...args: string[]) => {
    await promisify(execFile)(program, args, { cwd: dir, env, timeout: START_MS })
  }
  const daemons = new Daemons(dir, env)
  const endpoint = `http://127.0.0.1:${port}`
  const [accessKeyId, secretAccessKey] = ['test', randomBytes(20).toString('hex')]
  try {
    await run('monmaptool', '--create', '--addv', 'a', `[v2:127.0.0.1:${monitor}]`, '--fsid', fsid, 'monmap')
    await run('osdmaptool', '--createsimple', '1', 'osdmap')
    const maps = ['--monmap', 'monmap', '--osdmap', 'osdmap']
    await run('ceph-mon', '--mkfs', '-i', 'a', ...maps, '--keyring', 'keyring')
    daemons.start('ceph-mon', '-f', '-i', 'a')
    await run('ceph-osd', '--mkfs', '-i', '0', '--osd-uuid', randomUUID())
    daemons.start('ceph-osd', '-f', '-i', '0')
    daemons.start('radosgw', '-f', '-n', 'client.admin', `--rgw_frontends=beast endpoint=127.0.0.1:${port}`)
    await daemons.until(() => answers(endpoint))
    const keys = ['--access-key', accessKeyId, '--secret', secretAccessKey]
    await run('radosgw-admin', 'user', 'create', '--uid', 'test', '--display-name', 'test', ...keys)
  } catch (error) {
    const logs = daemons.logs()
    await daemons.stop()
    throw new Error(`Ceph did not start:\n${logs}`, { cause: error })
  }
  return {
    endpoint,
    accessKeyId,
    secretAccessKey,
    pids: daemons.pids,
    [Symbol.asyncDispose]: () => daemons.stop(),
  }
}

class Daemons {
  readonly #dir: string
  readonly #env: NodeJS.ProcessEnv
  readonly #running: ChildProcess[] = []
  readonly #watchdog: ChildProcess

  constructor(dir: string, env: NodeJS.ProcessEnv) {
    this.#dir = dir
    this.#env = env
    // SIGKILL: what they hold is in memory, and an orderly end waits for daemons that are gone already.
    const script = 'while read pid; do pids="$pids $pid"; done; kill -9 $pids 2>/dev/null; rm -rf "$1"'
    this.#watchdog = spawn('sh', ['-c', script, 'sh', dir], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#watchdog.unref()
    ;(this.#watchdog.stdin as unknown as { unref(): void }).unref()
  }

  get pids(): number[] {
    return this.#running.map(({ pid }) => pid as number)
  }

  start(program: string, ...args: string[]): void {
    const log = openSync(join(this.#dir, `${program}.out`), 'a')
    const daemon = spawn(program, args, {
      cwd: this.#dir,
      env: this.#env,
      // Detached: Ctrl-C belongs to the test run, which then ends them.
      detached: true,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    daemon.unref()
    daemon.on('error', () => undefined)
    this.#running.push(daemon)
    this.#watchdog.stdin?.write(`${daemon.pid}\n`)
  }

  /** Throws when one of them ends before that. */
  async until(condition: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + START_MS
    while (!(await condition())) {
      const ended = this.#running.find(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null)
      if (ended !== undefined) throw new Error(`${ended.spawnfile} ended with ${ended.exitCode}`)
      if (Date.now() > deadline) throw new Error(`no answer in ${START_MS / 1_000} s`)
      await sleep(100)
    }
  }

  logs(): string {
    const files = readdirSync(this.#dir).filter(file => /\.(out|log)$/.test(file))
    return files
      .map(file => `${file}: ${readFileSync(join(this.#dir, file), 'utf8').slice(-2_000)}`)
      .join('\n')
  }

  async stop(): Promise<void> {
    if (this.#watchdog.exitCode !== null) return
    this.#watchdog.ref()
    this.#watchdog.stdin?.end()
    await once(this.#watchdog, 'exit')
  }
}

async function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    ({ ok }) => ok,
    () => false,
  )
}
