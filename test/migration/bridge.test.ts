/** A migration file of each ORM, run by a real replica: the cursor and what the ORM writes are one transaction. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eq, sql } from 'drizzle-orm'
import { int, mysqlTable } from 'drizzle-orm/mysql-core'
import { drizzle as drizzleOn } from 'drizzle-orm/mysql2'
import { createPool } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drizzle } from '../../src/migration/bridges/drizzle.ts'
import { keyset } from '../../src/migration/keyset.ts'
import { openLedger } from '../../src/migration/ledger.ts'
import { makeUsers, startDatabase, touches, type TestDatabase } from '../helpers/databases.ts'
import { hasMariadb } from '../helpers/mariadb.ts'
import { MigrationDriver } from '../helpers/migration-driver.ts'
import { hasPostgres } from '../helpers/postgres.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { runner } from '../helpers/runner.ts'

const jobs = fileURLToPath(new URL('../fixtures/orms', import.meta.url))
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
const ROWS = 200

describe.skipIf(!hasPostgres)('on PostgreSQL', () => {
  let redis: TestRedis
  let server: TestDatabase
  let folder: string
  let replica: Replica
  let env: Record<string, string>

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'orms-'))
    redis = await startRedis()
    server = await startDatabase('postgres')
    env = { DATABASE_URL: server.url, PRISMA_CLIENT: generatePrisma(folder) }
    replica = await Replica.start({ redis, jobs, env, logLevel: 'info' })
  })
  afterAll(async () => {
    await replica[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await redis.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it.each(['kysely', 'drizzle', 'typeorm', 'mikro-orm', 'prisma'])(
    '%s: each row once, and what fails is rolled back with the cursor',
    async name => {
      await makeUsers(server.db, ROWS)
      const ended = await runner(
        ['enqueue', name, '--shards', '2', '--wait', '--json', '--redis', redis.url, '--jobs', jobs],
        {
          cwd: jobs,
          env,
        },
      )
      expect(ended).toMatchObject({ code: 0 })
      const { id } = JSON.parse(ended.stdout) as { id: string }
      const { shards, failures } = await openLedger(server.db)
      expect(await failures.list(id)).toMatchObject([{ key: ['33'] }])
      // The batches that it was in were rolled back, all of them.
      expect(await touches(server.db)).toEqual({ 0: 1, 1: ROWS - 1 })
      const rows = (await shards.list(id)).reduce((sum, shard) => sum + shard.rows, 0)
      expect(rows).toBe(ROWS)
    },
  )
})

describe.skipIf(!hasMariadb)('on MariaDB', () => {
  it('drizzle, whose driver answers in another way', async () => {
    await using server = await startDatabase('mariadb')
    await makeUsers(server.db, ROWS)
    const pool = createPool(server.url)
    const users = mysqlTable('users', { id: int().primaryKey(), touched: int().notNull() })
    const driver = await MigrationDriver.open(server, {
      orm: drizzle(drizzleOn({ client: pool })),
      source: keyset<{ id: number }>('users', { key: 'id', select: ['id'] }),
      async batch({ rows, tx }) {
        for (const { id } of rows)
          await tx
            .update(users)
            .set({ touched: sql`${users.touched} + 1` })
            .where(eq(users.id, id))
      },
    })
    const run = await driver.run()
    await pool.end()
    expect(run).toMatchObject({ state: 'succeeded' })
    expect(await touches(server.db)).toEqual({ 1: ROWS })
  })
})

/** Prisma's command asks for an engine that it does not need for this. Returns the client's file. */
function generatePrisma(folder: string): string {
  copyFileSync(join(jobs, 'schema.prisma'), join(folder, 'schema.prisma'))
  symlinkSync(modules, join(folder, 'node_modules'))
  execFileSync(join(modules, '.bin', 'prisma'), ['generate', '--schema', 'schema.prisma'], {
    cwd: folder,
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', CHECKPOINT_DISABLE: '1' },
    stdio: 'ignore',
  })
  return join(folder, 'generated', 'client.ts')
}
