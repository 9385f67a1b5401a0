/** The oracle is the column `touched`: how often each row was written. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import migrateUsers from '../../scripts/migrate-users.ts'
import { Users } from '../../demo/users.ts'
import { type Examples, examples, holderOf } from '../jobs/examples.ts'

const ROWS = 20_000
const ALL_ONCE = { rows: ROWS, migrated: ROWS, twice: 0 }

let fleet: Examples
beforeAll(async () => void (fleet = await examples()))
afterAll(() => fleet[Symbol.asyncDispose]())

const table = (name: string) => Users.create(join(fleet.folder, name), ROWS)
const migrate = (users: Users, ...args: string[]) =>
  fleet.enqueue('migrate-users', '--database', users.file, ...args)

test('killed on the way it goes on where it was; each row is written once', async () => {
  using users = table('killed.db')
  const replicas = [await fleet.replica(), await fleet.replica()]
  const ended = migrate(users, '--batch', '5', '--id', 'killed', '--wait')
  await users.untilMigrated(0.3)
  const victim = holderOf('migrate-users', replicas)!
  victim.kill('SIGKILL')
  await victim.ended
  const { migrated, twice } = users.count()
  expect(migrated).toBeLessThan(ROWS)
  expect(twice).toBe(0)

  const { code, stdout } = await ended
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({ rows: ROWS - migrated, total: ROWS })
  expect(users.count()).toEqual(ALL_ONCE)
  expect(await fleet.job('default', 'killed')).toMatchObject({ attemptsStarted: 2, attemptsMade: 1 })

  // Its fence is 1 again, below that of the job before it.
  expect(await migrate(users, '--wait')).toMatchObject({ code: 0, stdout: `{"rows":0,"total":${ROWS}}\n` })
  expect(users.count()).toEqual(ALL_ONCE)
})

test('two jobs of it at once share the rows', async () => {
  using users = table('twice.db')
  await using _ = await fleet.replica()
  const both = await Promise.all([
    migrate(users, '--batch', '50', '--wait'),
    migrate(users, '--batch', '50', '--wait'),
  ])
  expect(both.map(({ code }) => code)).toEqual([0, 0])
  const rows = both.map(({ stdout }) => (JSON.parse(stdout) as { rows: number }).rows)
  expect(rows[0]! + rows[1]!).toBe(ROWS)
  expect(users.count()).toEqual(ALL_ONCE)
})

test('a run that was frozen while a later start went on has its next batch refused', async () => {
  using users = table('frozen.db')
  const frozen = Promise.withResolvers<void>()
  const later = Promise.withResolvers<void>()
  const older = start(users, 1, () => frozen.promise)
  const newer = start(users, 2, () => later.promise)
  frozen.resolve()
  await expect(older).rejects.toThrow('a later start than 1 of this job took over')
  later.resolve()
  // The older run had done one batch before it froze.
  expect(await newer).toEqual({ rows: ROWS - 500, total: ROWS })
  expect(users.count()).toEqual(ALL_ONCE)
})

test('without a table it says how to get one', async () => {
  await using _ = await fleet.replica()
  const ended = await fleet.enqueue('migrate-users', '--database', 'absent.db', '--wait')
  expect(ended).toMatchObject({
    code: 5,
    stderr: expect.stringContaining('there is no database absent.db: `npm run demo` makes one') as string,
  })
})

/** One run of the handler by itself, up to its first `breathe`, which is where it can be held. */
async function start(users: Users, fence: number, breathe: () => Promise<void>): Promise<unknown> {
  const log = { info: () => undefined }
  const context = {
    args: { database: users.file, batch: 500 },
    key: 'default:1',
    fence,
    progress: () => {},
    breathe,
    log,
  }
  return migrateUsers.run(context as unknown as Parameters<typeof migrateUsers.run>[0])
}
