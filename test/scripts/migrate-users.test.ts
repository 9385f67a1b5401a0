/** The demo kills its replicas; here is what it writes. */
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Users } from '../../demo/users.ts'
import { type Examples, examples } from '../jobs/examples.ts'

const ROWS = 2_000

let fleet: Examples
beforeAll(async () => void (fleet = await examples()))
afterAll(() => fleet[Symbol.asyncDispose]())

test('fills each row once, as DNS knows the domain; a second time there is nothing to do', async () => {
  using users = Users.create(fleet.database, ROWS)
  using db = new DatabaseSync(fleet.database, { timeout: 5_000 })
  db.exec(`insert into users (email) values ('Zoë@MÜNCHEN.example')`)
  const dry = await fleet.enqueue('migrate-users', '--dry-run')
  expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining('was rolled back') as string })
  expect(users.count()).toEqual({ rows: ROWS + 1, migrated: 0, twice: 0 })

  await using _ = await fleet.replica()
  expect(await fleet.enqueue('migrate-users', '--wait')).toMatchObject({ code: 0 })
  expect(users.count()).toMatchObject({ rows: ROWS + 1, migrated: ROWS, twice: 0 })
  const domain = db.prepare('select domain_v2 from users order by id desc limit 1').get()
  expect(domain).toEqual({ domain_v2: 'xn--mnchen-3ya.example' })

  const again = await fleet.enqueue('migrate-users')
  expect(again.stdout).toContain('succeeded at')
  expect(users.count()).toMatchObject({ twice: 0 })
})
