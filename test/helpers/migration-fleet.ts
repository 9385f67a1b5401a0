/** What tests of migrations on real replicas have in common: the fixture `touch`, its run, and the oracle of its rows. */
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { openLedger, type Ledger } from '../../src/migration/ledger.ts'
import { touches, type TestDatabase } from './databases.ts'
import type { TestRedis } from './redis.ts'
import type { ReplicaOptions } from './replica.ts'
import { runner, type Ended } from './runner.ts'

const jobs = fileURLToPath(new URL('../fixtures/migrations', import.meta.url))

export class MigrationFleet {
  readonly ledger: Ledger
  /** Of each replica. */
  readonly options: ReplicaOptions
  readonly #server: TestDatabase
  readonly #redis: TestRedis

  private constructor(ledger: Ledger, server: TestDatabase, redis: TestRedis) {
    this.ledger = ledger
    this.#server = server
    this.#redis = redis
    const args = ['--lock-duration', '2s', '--executors', '1']
    this.options = { redis, jobs, args, env: { DATABASE_URL: server.url }, logLevel: 'info' }
  }

  /** With an empty Redis and an empty ledger. */
  static async open(server: TestDatabase, redis: TestRedis): Promise<MigrationFleet> {
    await redis.flush()
    const ledger = await openLedger(server.db)
    for (const table of ['runs', 'shards', 'failures'])
      await server.db.query(`delete from ${server.db.dialect.table(table)}`)
    return new MigrationFleet(ledger, server, redis)
  }

  cli(...given: string[]): Promise<Ended> {
    const env = { DATABASE_URL: this.#server.url }
    return runner([...given, '--redis', this.#redis.url, '--jobs', jobs], { cwd: jobs, env })
  }

  /** Returns the id of the run. */
  async begin(...given: string[]): Promise<string> {
    const { stdout, stderr } = await this.cli('enqueue', 'touch', ...given, '--json')
    expect(stderr).toBe('')
    return (JSON.parse(stdout) as { run: string }).run
  }

  async hasSucceeded(run: string): Promise<boolean> {
    return (await this.ledger.runs.get(run)).state === 'succeeded'
  }

  /** Some rows are written, and some are not. */
  async untilBegun(): Promise<void> {
    await expect
      .poll(async () => Object.keys(await touches(this.#server.db)).length, { interval: 50 })
      .toBe(2)
  }

  async expectOnce(run: string, rows: number): Promise<void> {
    const state = async () => {
      const { state: now, error } = await this.ledger.runs.get(run)
      return error ?? now
    }
    await expect.poll(state, { timeout: 120_000, interval: 200 }).toBe('succeeded')
    expect(await touches(this.#server.db)).toEqual({ 1: rows })
    const shards = await this.ledger.shards.list(run)
    expect(shards.reduce((sum, shard) => sum + shard.rows, 0)).toBe(rows)
  }
}
