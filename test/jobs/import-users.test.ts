import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Examples, examples, PATIENT } from './examples.ts'

const LINES = 3_000

let fleet: Examples
beforeAll(async () => void (fleet = await examples()))
afterAll(() => fleet[Symbol.asyncDispose]())

interface Status {
  run: { state: string; held: string | null; shards: number }
}

test('waits for its table, imports each record, and keeps what has no address', async () => {
  const file = join(fleet.folder, 'users.csv')
  const line = (i: number) =>
    i % 1_000 === 7 ? 'nobody,Nobody' : `User${i}@host.example,"Name, ""${i}""\nof two lines"`
  writeFileSync(file, ['email,name', ...Array.from({ length: LINES }, (_, i) => line(i)), ''].join('\n'))
  await using _one = await fleet.replica()
  await using _two = await fleet.replica()
  expect((await fleet.enqueue('import-users', '--file', file)).code).toBe(0)
  const status = async () =>
    (JSON.parse((await fleet.runner('migrations', 'status', 'import-users', '--json')).stdout) as Status).run
  await expect
    .poll(async () => (await status()).held, PATIENT)
    .toBe('waits for create-imported-users, which has not succeeded')

  expect((await fleet.enqueue('create-imported-users')).code).toBe(0)
  expect(await fleet.runner('migrations', 'wait', 'import-users', '--timeout', '45s')).toMatchObject({
    code: 0,
  })
  using db = new DatabaseSync(fleet.database, { timeout: 5_000 })
  expect(db.prepare('select count(*) as n from imported_users').get()).toEqual({ n: LINES - 3 })
  expect(db.prepare(`select name from imported_users where email = 'user42@host.example'`).get()).toEqual({
    name: 'Name, "42"\nof two lines',
  })
  const errors = await fleet.runner('migrations', 'errors', 'import-users', '--json')
  expect(JSON.parse(errors.stdout)).toHaveLength(3)
  expect(await status()).toMatchObject({ state: 'succeeded', shards: 8, held: null })
})
