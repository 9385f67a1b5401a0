/** The verbs of migrations as a user types them, on the migration of the README and a SQLite file. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Database } from '../../../src/migration/database.ts'
import { openDatabase } from '../../../src/migration/databases.ts'
import type { RunProgress } from '../../../src/steering/run-progress.ts'
import { makeUsers } from '../../helpers/databases.ts'
import { project, type Project } from '../../helpers/project.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'
import { Replica } from '../../helpers/replica.ts'
import { runner } from '../../helpers/runner.ts'

const ROWS = 2_000
const README_JOBS = fileURLToPath(new URL('../../fixtures/migrations-readme', import.meta.url))

let redis: TestRedis
let dir: Project
let db: Database
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())
beforeEach(async () => {
  await redis.flush()
  dir = project()
  db = await openDatabase('app', { app: `sqlite:${dir.path('app.db')}` })
  await makeUsers(db, ROWS)
})
afterEach(async () => {
  await db.close()
  dir[Symbol.dispose]()
})

const env = { DATABASE_URL: 'sqlite:app.db' }
const cli = (...args: string[]) =>
  runner([...args, '--redis', redis.url, '--jobs', README_JOBS], { cwd: dir.dir, env })
const replica = (...args: string[]) =>
  Replica.start({ redis, jobs: README_JOBS, cwd: dir.dir, env, args: ['--executors', '1', ...args] })
const json = async <Of>(...args: string[]) => JSON.parse((await cli(...args, '--json')).stdout) as Of

/** All that is in the database, as one text. */
async function dump(): Promise<string> {
  const tables = await db.query<{ name: string }>(
    "select name from sqlite_master where type = 'table' order by name",
  )
  const rows = await Promise.all(tables.map(({ name }) => db.query(`select * from ${name}`)))
  return JSON.stringify([tables, rows])
}

it('is the migration that the README shows', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const [, chapter = ''] = /^## Migrations\n(.*?)^## /ms.exec(readme) ?? []
  const blocks = [...chapter.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text]) => text)
  expect(blocks).toEqual([readFileSync(join(README_JOBS, 'fill-domain.ts'), 'utf8')])
})

it('is begun, watched, waited for, and done once', async () => {
  await db.query("update users set email = 'nobody' where id = 300")
  const { run } = await json<{ run: string }>('enqueue', 'fill-domain', '--reason', 'JIRA-1', '--shards', '3')
  expect(run).toMatch(/^fill-domain-[0-9a-f]{6}$/)
  expect((await cli('enqueue', 'fill-domain')).stdout).toBe(
    `run ${run} is planning already: nothing was added\n`,
  )
  await using working = await replica('--http', '127.0.0.1:0')
  expect(await cli('migrations', 'wait', 'fill-domain')).toMatchObject({
    code: 0,
    stdout: `run ${run} succeeded\n`,
  })
  const { url } = await working.event('http.listening')
  const metrics = await (await fetch(`${String(url)}/metrics`)).text()
  expect(metrics).toContain(`\nrunner_migration_rows_total{name="fill-domain"} ${ROWS}\n`)
  expect(metrics).toMatch(/^runner_migration_batch_rows\{name="fill-domain"\} [1-9]\d*$/m)
  expect(metrics).toContain('\nrunner_migration_holds_total{name="fill-domain",reason="query"} 0\n')

  const status = await json<RunProgress>('migrations', 'status', run)
  expect(status).toMatchObject({
    rows: ROWS,
    failed: 0,
    run: { state: 'succeeded', reason: 'JIRA-1', estimate: ROWS },
  })
  expect(status.shards.every(({ open }) => !open)).toBe(true)
  const text = (await cli('migrations', 'status', 'fill-domain')).stdout
  expect(text).toMatch(new RegExp(`^${run}  succeeded  2,000 of about 2,000 rows`))
  expect(text).toMatch(/^shard 0 {2}█{20} {2}[\d,]+ rows {2}batch [\d,]+ +done$/m)
  expect((await cli('migrations', 'output', run)).stdout).toBe('{"id":300}\n')
  expect((await cli('migrations', 'output', run, '--csv')).stdout).toBe('id\n300\n')
  expect(await cli('migrations', 'output', run, '--csv', '--json')).toMatchObject({ code: 2 })
  expect((await cli('migrations', 'list')).stdout).toMatch(
    new RegExp(`^${run} +succeeded .*\\{\\} +JIRA-1$`, 'm'),
  )
  expect((await cli('migrations', 'history', run)).stdout).toMatch(/^\S+Z {2}\w+ {2}enqueued$/m)
  expect((await cli('migrations', 'errors', run)).stdout).toBe(`run ${run} has stepped over no row\n`)

  expect((await cli('enqueue', 'fill-domain')).stdout).toMatch(
    / succeeded at .*: nothing was added; --again runs it again$/m,
  )
  const again = await json<{ run: string; enrolment: string }>('enqueue', 'fill-domain', '--again')
  expect(again).toMatchObject({ enrolment: 'new' })
  expect(again.run).not.toBe(run)
})

it('--dry-run runs one batch, says what it did, and leaves the database as it was', async () => {
  await db.query("update users set email = 'nobody' where id = 9")
  const before = await dump()
  const { code, stdout } = await cli('enqueue', 'fill-domain', '--dry-run', '--limit', '5')
  expect(stdout).toMatch(
    /^would walk about 2,000 rows in 16 shards; a batch of 5 took \S+ and was rolled back\n\{"id":9\}\n$/,
  )
  expect(code).toBe(0)
  expect(await dump()).toBe(before)
  await db.query('alter table users rename column domain to gone')
  expect(await cli('enqueue', 'fill-domain', '--dry-run')).toMatchObject({
    code: 5,
    stderr: expect.stringContaining('a batch of fill-domain fails: no such column: domain') as string,
  })
})

it('is held, changed and let go on', async () => {
  const { run } = await json<{ run: string }>('enqueue', 'fill-domain')
  expect((await cli('migrations', 'set', run, '--batch', '7')).stdout).toBe(
    `run ${run} goes on with --batch 7\n`,
  )
  await using _replica = await replica()
  await cli('migrations', 'wait', run)
  expect(await cli('migrations', 'set', run, '--shards', '7')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is succeeded: set is for one that goes on') as string,
  })
  expect(await cli('migrations', 'pause', run)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is succeeded: pause is for one that is running') as string,
  })
  const { shards } = await json<RunProgress>('migrations', 'status', run)
  expect(Math.max(...shards.map(({ batchSize }) => batchSize))).toBeLessThanOrEqual(150)
  expect((await cli('migrations', 'history', run)).stdout).toContain('set --batch 7')
})

it.each([
  [['migrations', 'status', 'fill-domian'], 6, 'there is no run fill-domian'],
  [['migrations', 'set', 'x'], 2, 'nothing to set'],
  [['migrations', 'set', 'x', '--max-lag', 'soon'], 2, '--max-lag'],
  [['migrations', 'set', 'x', '--batch', 'many'], 2, '--batch: expected 1 to 10000, or auto, got "many"'],
  [['enqueue', 'fill-domain', '--shards', '0'], 2, '--shards: expected 1 to 10000, got 0'],
  [['enqueue', 'fill-domain', '--fallbak', 'x'], 2, "unknown option '--fallbak'"],
  [['enqueue', 'fill-domain', '--fallback', '7', '--data', '-'], 2, '--data'],
])('refuses %j', async (args, code, message) => {
  const ended = await cli(...args)
  expect(ended.stderr).toContain(message)
  expect(ended.code).toBe(code)
})

it('names a database that is not configured, and shows no URL', async () => {
  const secret = { DATABASE_URL: 'oracle://user:secret@host/db' }
  const ended = await runner(['migrations', 'list', '--redis', redis.url], { cwd: dir.dir, env: secret })
  expect(ended).toMatchObject({ code: 2 })
  expect(ended.stderr).toContain('database default: not a URL that is known')
  expect(ended.stderr).not.toContain('secret')
})

it('runner new migration makes one that loads', async () => {
  expect((await cli('new', 'migration', 'fill')).stdout).toContain('enqueue fill')
  const checked = await runner(['check', '--jobs', README_JOBS], { cwd: dir.dir, env })
  expect(checked.code).toBe(0)
})
