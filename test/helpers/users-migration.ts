/** The migration of most tests of the engine: counts in each user how often it was written, and fills a column. */
import type { z } from 'zod'
import type { MigrationOptions } from '../../src/migration/definition.ts'
import { keyset } from '../../src/migration/keyset.ts'
import { makeUsers, type TestDatabase } from './databases.ts'
import { MigrationDriver } from './migration-driver.ts'

export interface User {
  id: number
  email: string
}

export const ROWS = 1_000
export const TOUCH = 'update users set touched = touched + 1, domain = $1 where id = $2'

export const domainOf = ({ email }: User): string | undefined => email.split('@')[1]

export function poison(id: number): never {
  throw Object.assign(new Error(`user ${id} is poison`), { code: 'POISON' })
}

/** Users as they were never touched, and no ledger. */
export async function resetUsers({ db }: TestDatabase): Promise<void> {
  await makeUsers(db, ROWS)
  for (const table of ['runs', 'shards', 'failures', 'events', 'outputs'])
    await db.query(`drop table if exists ${db.dialect.table(table)}`)
}

/** With what `options` say otherwise. `file`: what the run takes for its file. */
export function openUsers(
  server: TestDatabase,
  options: Partial<MigrationOptions<User>> = {},
  file?: string,
): Promise<MigrationDriver> {
  const whole: MigrationOptions<User> = {
    source: keyset<User>('users', { key: 'id', select: ['id', 'email'] }),
    shards: 4,
    ...(options.each === undefined && {
      batch: async ({ rows, tx, emit }) => {
        for (const user of rows) await tx.query(TOUCH, [domainOf(user), user.id])
        emit(rows.length)
      },
    }),
    verify: ({ db }) => db.empty('select 1 from users where domain is null and touched > 0 limit 1'),
    ...options,
  }
  return MigrationDriver.open<User, z.ZodType>(server, whole, file)
}
