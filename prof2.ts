import { makeUsers, startDatabase } from './test/helpers/databases.ts'
import { touchRows } from './bench/touch-rows.ts'
const server = await startDatabase('postgres')
await makeUsers(server.db, 500_000)
if (process.argv[2]) await server.db.query('analyze users')
let last = 0
for (const size of [
  100, 300, 1000, 2000, 2000, 2000, 4000, 4000, 8000, 8000, 10000, 10000, 2000, 2000, 300, 300,
]) {
  const t = performance.now()
  let u = 0
  await server.db.transaction(async tx => {
    const rows = await tx.query<any>(
      `select id, email from users where id > $1 order by id limit ${size} for no key update`,
      [last],
    )
    const a = performance.now()
    await touchRows(tx, rows, true)
    u = performance.now() - a
    last = rows.at(-1).id
  })
  const ms = performance.now() - t
  console.log(
    size,
    ms.toFixed(1),
    ((size / ms) * 1000).toFixed(0),
    'rows/s; update',
    ((u / size) * 1000).toFixed(1),
    'us/row',
  )
}
const ex = await server.db.query(
  `explain update users set touched = touched + 1, domain = v.domain from (select unnest('{${Array.from({ length: 10000 }, (_, i) => i * 3).join()}}'::int[]) as id, 'x' as domain) v where users.id = v.id`,
)
console.log(
  ex
    .map((r: any) => r['QUERY PLAN'])
    .join('\n')
    .slice(0, 900)
    .replace(/\{[\d,]+/, '{..'),
)
await server[Symbol.asyncDispose]()
