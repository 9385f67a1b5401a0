/**
 * Fills `domain_v2` of every user from the e-mail address: each row once, however often replicas are killed, frozen or
 * rung twice. `touched` is what the demo checks that by.
 *
 *   runner enqueue migrate-users --dry-run      what one batch of it would do
 *   runner enqueue migrate-users --follow       does it
 *   runner migrations status migrate-users      how far it is
 */
import { domainToASCII } from 'node:url'
import { keyset, migration } from 'bullmq-runner'

interface User {
  id: number
  email: string
}

export default migration({
  description: 'Fills users.domain_v2 from the e-mail address',
  source: keyset<User>('users', { key: 'id', select: ['id', 'email'] }),
  async batch({ rows, tx }) {
    for (const { id, email } of rows)
      await tx.query('update users set domain_v2 = $1, touched = touched + 1 where id = $2', [
        domainOf(email),
        id,
      ])
  },
  verify: ({ db }) => db.empty('select 1 from users where domain_v2 is null limit 1'),
})

/** As DNS knows it: 'Zoë@MÜNCHEN.example' -> 'xn--mnchen-3ya.example'. */
const domainOf = (email: string): string => domainToASCII(email.slice(email.lastIndexOf('@') + 1))
