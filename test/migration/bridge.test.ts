/** A migration file of each ORM, run by a real replica: the cursor and what the ORM writes are one transaction. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openLedger } from '../../src/migration/ledger.ts'
import { makeUsers, startDatabase, touches, type TestDatabase } from '../helpers/databases.ts'
import { hasPostgres } from '../helpers/postgres.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { runner } from '../helpers/runner.ts'

const jobs = fileURLToPath(new URL('../fixtures/orms', import.meta.url))
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
const ROWS = 500

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
  }, 60_000)
  afterAll(async () => {
    await replica[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await redis.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it.each(['kysely', 'drizzle', 'typeorm', 'mikro-orm', 'prisma'])(
    '%s: each row once, and what fails is rolled back with the cursor',
    { timeout: 60_000 },
    async name => {
      await makeUsers(server.db, ROWS)
      const ended = await runner(
        ['enqueue', name, '--wait', '--json', '--redis', redis.url, '--jobs', jobs],
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
