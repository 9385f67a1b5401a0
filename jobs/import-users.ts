/**
 * Users from a CSV file with the columns `email` and `name`, many replicas at once. The cursor is a byte offset: whoever
 * goes on after a kill reads no record again. What has no address is kept among the errors of the run, and the others
 * go on. The file comes over HTTP (examples/import-users) or from the command line, and is in the store while a job needs it.
 *
 *   runner enqueue create-imported-users
 *   runner enqueue import-users --file users=./users.csv --follow
 *   runner migrations errors import-users
 */
import { csv, file, migration } from 'bullmq-runner'
import { z } from 'zod'

interface Line {
  email: string
  name: string
}

const address = z.email()

export default migration({
  description: 'Imports users from a CSV file: email,name',
  args: z.object({ users: file({ types: ['text/csv', 'text/plain'], maxBytes: '1GiB' }) }),
  source: ({ users }) => csv<Line>(users),
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
