/** The table of `import-users`, in a migration of its own: that one comes `after` it. */
import { migration, once } from 'bullmq-runner'

export default migration({
  description: 'Creates the table that import-users fills',
  source: once(() => [{ table: 'imported_users' }]),
  async batch({ tx }) {
    await tx.query('create table if not exists imported_users (email varchar(320) primary key, name text)')
  },
})
