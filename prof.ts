import { MigrationDriver } from './test/helpers/migration-driver.ts'
import { makeUsers, startDatabase, touches } from './test/helpers/databases.ts'
import { keyset } from './src/migration/keyset.ts'
import { touchRows } from './bench/touch-rows.ts'
import pg from 'pg'
const kind = process.argv[2] as 'postgres'
const server = await startDatabase(kind)
await makeUsers(server.db, 500_000)

if (process.argv[3]) await server.db.query('analyze users')
const spent = new Map<string, [number, number]>()
const query = pg.Client.prototype.query as any
;(pg.Client.prototype as any).query = async function (this: any, ...args: any[]) {
  if (typeof args.at(-1) === 'function') return query.apply(this, args)
  const t = performance.now()
  const r = await query.apply(this, args)
  const k = String(args[0]).replace(/\s+/g, ' ').slice(0, 90)
  const s = spent.get(k) ?? [0, 0]
  s[0] += performance.now() - t
  s[1]++
  spent.set(k, s)
  return r
}
const sizes: number[] = []
const driver = await MigrationDriver.open(server, {
  source: keyset<{ id: number; email: string }>('users', { key: 'id', select: ['id', 'email'] }),
  shards: 1,
  batch: async ({ rows, tx }) => {
    sizes.push(rows.length)
    await touchRows(tx, rows, kind === 'postgres')
  },
})
const t = performance.now()
const run = await driver.run()
const ms = performance.now() - t
console.log(
  run.state,
  Math.round(500_000_000 / ms),
  'rows/s',
  await touches(server.db),
  sizes.length,
  sizes.slice(0, 14).join(),
)
for (const [k, [a, n]] of [...spent].sort((x, y) => y[1][0] - x[1][0]).slice(0, 14))
  console.log(Math.round(a), n, k)
await server[Symbol.asyncDispose]()
process.exit()
