/** The example jobs, as a user runs them: by the real binary, on a real Redis. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { project, type Project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { runner, startRunner } from '../helpers/runner.ts'

const root = join(import.meta.dirname, '..', '..')
const FOLDERS = ['--jobs', join(root, 'jobs'), '--jobs', join(root, 'scripts')]

let redis: TestRedis
let folder: Project
let replica: Replica

const start = () =>
  Replica.start({
    redis,
    jobs: join(root, 'jobs'),
    cwd: folder.dir,
    env: { OUTBOX: folder.path('outbox') },
    args: ['--jobs', join(root, 'scripts'), '--lock-duration', '2s', '--stalled-interval', '1s'],
  })
const enqueue = (...args: string[]) =>
  runner(['enqueue', ...args, '--redis', redis.url, ...FOLDERS], { cwd: folder.dir })

beforeAll(async () => {
  redis = await startRedis()
  folder = project()
  replica = await start()
})
afterAll(async () => {
  await replica[Symbol.asyncDispose]()
  await redis.stop()
  folder[Symbol.dispose]()
})

/** What the job promises to equal. */
const PIPELINE = 'find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum'
const digestOf = (dir: string) =>
  execFileSync('bash', ['-c', PIPELINE], { cwd: dir, encoding: 'utf8' }).slice(0, 64)

describe('hash-tree', () => {
  it('has the digest of find, sort and sha256sum, whatever the names', async () => {
    const tree = folder.path('tree')
    mkdirSync(join(tree, 'sub dir', 'deep'), { recursive: true })
    const names = [
      'plain',
      'with space',
      'new\nline',
      'back\\slash',
      'ümläut 語',
      "quo'te",
      '-dash',
      'sub dir/x',
      'sub dir/deep/empty',
    ]
    for (const name of names) writeFileSync(join(tree, name), name.endsWith('empty') ? '' : name.repeat(1000))
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe, 0x41])]), 'not UTF-8')
    symlinkSync('plain', join(tree, 'link'))
    const { stdout, code } = await enqueue('hash-tree', '--dir', tree, '--wait')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ files: names.length + 1, digest: digestOf(tree) })
  })

  it('ends on another replica when its own is killed on the way', async () => {
    const tree = join(root, 'node_modules', 'bullmq')
    const copies = folder.path('copies')
    for (let i = 0; i < 8; i++) cpSync(tree, join(copies, String(i)), { recursive: true })
    const { child, ended } = startRunner(
      ['enqueue', 'hash-tree', '--dir', copies, '--follow', '--redis', redis.url, ...FOLDERS],
      { cwd: folder.dir },
    )
    // The first sign of progress: it is running, and far from its end.
    let seen = ''
    await new Promise<void>(resolve => {
      child.stdout.on('data', (chunk: Buffer) => {
        seen += chunk.toString()
        if (seen.includes('"progress"')) resolve()
      })
    })
    replica.kill('SIGKILL')
    await replica.ended
    replica = await start()
    const { stdout, code } = await ended
    expect(code).toBe(0)
    const events = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { event: string; result?: object })
    expect(events.filter(({ event }) => event === 'active').length).toBe(2)
    expect(events.at(-1)).toMatchObject({ event: 'completed', result: { digest: digestOf(copies) } })
  })
})

it('send-email writes one mail for one job, and refuses what is no address', async () => {
  expect(await enqueue('send-email', '--to', 'ada@example.org', '--wait')).toMatchObject({ code: 0 })
  expect(readdirSync(folder.path('outbox')).filter(name => name.endsWith('.json'))).toHaveLength(1)
  const bad = await enqueue('send-email', '--to', 'nobody')
  expect(bad.code).toBe(2)
  expect(bad.stderr).toMatch(/to.*"nobody"/)
  const misspelt = await enqueue('send-emial', '--to', 'ada@example.org')
  expect(misspelt.code).toBe(6)
  expect(misspelt.stderr).toContain('did you mean send-email?')
})

it('fetch-page tries again when it is told to, and fails for good on 404', async () => {
  let calls = 0
  const server = createServer((request, response) => {
    const again = request.url === '/busy' && ++calls === 1
    response.writeHead(again ? 429 : request.url === '/busy' ? 200 : 404, again ? { 'retry-after': '0' } : {})
    response.end('hello')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    expect(await enqueue('fetch-page', '--url', `${url}/busy`, '--wait')).toMatchObject({ code: 0 })
    expect(calls).toBe(2)
    expect(await enqueue('fetch-page', '--url', `${url}/gone`, '--wait')).toMatchObject({ code: 5 })
  } finally {
    server.close()
  }
})

it('word-count is an unchanged BullMQ processor', async () => {
  writeFileSync(folder.path('text.txt'), 'one two\nthree\n')
  const { stdout } = await enqueue('word-count', '--file', folder.path('text.txt'), '--wait')
  expect(JSON.parse(stdout)).toEqual({ lines: 2, words: 3 })
})

it('disk-report is a shell script: its lines are the log of the job, its exit code the outcome', async () => {
  const { stdout, code } = await enqueue('disk-report', '--dir', folder.dir, '--follow')
  expect(code).toBe(0)
  expect(stdout).toMatch(/"event":"log".*KiB free/)
  writeFileSync(folder.path('file'), '')
  const failed = await enqueue('disk-report', '--dir', folder.path('file'), '--wait')
  expect(failed.code).toBe(5)
  expect(failed.stderr).toContain('is not a folder')
})
