/** Runs that have to wait: for what their throttle says, and for other runs. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { MigrationRun } from '../../src/migration/ledger-run.ts'
import { http, maxLag, query, type ThrottleSignal } from '../../src/migration/throttle.ts'
import { describeDatabases, startDatabase, touches, type TestDatabase } from '../helpers/databases.ts'
import type { MigrationDriver } from '../helpers/migration-driver.ts'
import { openUsers, resetUsers, ROWS } from '../helpers/users-migration.ts'

describeDatabases(
  kind => {
    let server: TestDatabase
    beforeAll(async () => void (server = await startDatabase(kind)))
    beforeEach(() => resetUsers(server))
    afterAll(() => server[Symbol.asyncDispose]())

    /** Planned, with one shard. */
    async function planned(throttle: ThrottleSignal[]): Promise<{
      driver: MigrationDriver
      slice: () => Promise<unknown>
      run: () => Promise<MigrationRun>
      looked: () => Promise<unknown>
    }> {
      const driver = await openUsers(server, { shards: 1, throttle })
      const { run } = await driver.enqueue()
      await driver.take(`${run}-plan`)
      const runs = server.db.dialect.table('runs')
      return {
        driver,
        slice: () => driver.take(`${run}-0`),
        run: () => driver.ledger.runs.get(run),
        // As when a second has gone by.
        looked: () => server.db.query(`update ${runs} set looked_at = 0`),
      }
    }

    it('a query that says so holds the run between two batches, with its reason, until it says so no more', async () => {
      await server.db.query('drop table if exists busy')
      await server.db.query('create table busy (reason varchar(40))')
      const { driver, slice, run, looked } = await planned([query('select reason from busy')])
      await server.db.query(`insert into busy values ('backup')`)
      await slice()
      expect(await run()).toMatchObject({ state: 'running', held: 'query says backup' })
      expect(await touches(server.db)).toEqual({ 0: ROWS })
      expect(driver.told).toEqual([{ rows: 0, held: 'query' }])
      await server.db.query('delete from busy')
      // Within the second nobody looks again: what was seen counts for all.
      await slice()
      expect(await run()).toMatchObject({ held: 'query says backup' })
      expect(driver.told).toHaveLength(1)
      await looked()
      await driver.drain()
      expect(await run()).toMatchObject({ state: 'succeeded', held: null })
      expect(await touches(server.db)).toEqual({ 1: ROWS })
      expect(driver.rowsTold).toBe(ROWS)
    })

    it('a signal of the author is told as other, and what it says only the ledger has', async () => {
      const { driver, slice, run } = await planned([{ name: 'moon', look: async () => 'is full' }])
      await slice()
      expect(await run()).toMatchObject({ held: 'moon is full' })
      expect(driver.told).toEqual([{ rows: 0, held: 'other' }])
    })

    it.each([
      ['0', undefined],
      [`'0'`, undefined],
      ['null', undefined],
      ['3', 'says 3'],
      [`'lag of 4 s'`, 'says lag of 4 s'],
    ])('a query that returns %s', async (value, reason) => {
      expect(await query(`select ${value} as v`).look(server.db, null)).toBe(reason)
      expect(await query(`select ${value} as v where 1 = 0`).look(server.db, null)).toBeUndefined()
    })

    it('what cannot be told holds, and says why', async () => {
      const { slice, run } = await planned([query('select nothing from nowhere')])
      await slice()
      expect((await run()).held).toContain('query cannot be told: ')
      expect(await touches(server.db)).toEqual({ 0: ROWS })
    })

    it('maxLag asks PostgreSQL for its replicas, and holds elsewhere', async () => {
      const signal = maxLag('2s')
      if (kind === 'postgres') expect(await signal.look(server.db, null)).toBeUndefined()
      else await expect(signal.look(server.db, null)).rejects.toThrow('maxLag() is for PostgreSQL')
    })

    if (kind !== 'sqlite') return

    it('http holds while the answer is not 200', async () => {
      let status = 503
      const web = createServer((_, response) => void response.writeHead(status).end('busy')).listen(
        0,
        '127.0.0.1',
      )
      await once(web, 'listening')
      const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/`
      try {
        expect(await http(url).look(server.db, null)).toBe('answers 503')
        status = 200
        expect(await http(url).look(server.db, null)).toBeUndefined()
      } finally {
        web.close()
      }
      await expect(http(url).look(server.db, null)).rejects.toThrow('fetch failed')
      expect(http('https://ops:secret@host.example/gate?token=abc').name).toBe('https://host.example/gate')
    })
  },
  ['sqlite', 'postgres'],
)
