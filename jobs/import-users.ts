/**
 * Users from a CSV file with the columns `email` and `name`, many replicas at once. The cursor is a byte offset: whoever
 * goes on after a kill reads no record again. What has no address is kept among the errors of the run, and the others
 * go on.
 *
 *   runner enqueue create-imported-users
 *   runner enqueue import-users --file users.csv --follow
 *   runner migrations errors import-users
 */
import { csv, migration } from 'bullmq-runner'
import { z } from 'zod'

interface Line {
  email: string
  name: string
}

const address = z.email()

export default migration({
  description: 'Imports users from a CSV file: email,name',
  args: z.object({ file: z.string().describe('CSV file, at the same path for every replica') }),
  source: ({ file }) => csv<Line>(file),
  after: ['create-imported-users'],
  shards: 8,
  async each({ email, name }, { tx }) {
    // Of two records with one address, the one that is written later counts.
    await tx.query(
      `insert into imported_users (email, name) values ($1, $2)
         on conflict (email) do update set name = excluded.name`,
      [address.parse(email.trim().toLowerCase()), name],
    )
  },
})
