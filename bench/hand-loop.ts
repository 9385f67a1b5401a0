/** A loop written by hand, as a script of its own: `hand-loop.ts URL FROM TO BATCH`, rows with FROM < id <= TO. */
import { once } from 'node:events'
import { openDatabase } from '../src/migration/databases.ts'
import { touchRows } from './touch-rows.ts'

const [url = '', from, to, batch] = process.argv.slice(2)
const db = await openDatabase('bench', { bench: url })
const isPostgres = db.dialect.name === 'postgres'
await db.query('select 1')
process.send?.('ready')
await once(process, 'message')
for (let last = Number(from); ;) {
  const rows = await db.transaction(async tx => {
    const found = await tx.query<{ id: number; email: string }>(
      `select id, email from users where id > $1 and id <= $2 order by id limit ${batch} ${db.dialect.lock}`,
      [last, Number(to)],
    )
    await touchRows(tx, found, isPostgres)
    return found
  })
  if (rows.length === 0) break
  last = rows.at(-1)?.id ?? last
}
process.send?.('done')
process.exit()
