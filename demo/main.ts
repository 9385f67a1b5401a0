/**
 * `npm run demo`: 50,000 users are migrated by a fleet of two replicas, and the replica that does it is killed with
 * SIGKILL on the way. Every figure of the summary is read from the database and from Redis, not from the commands.
 */
import { rmSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Mail } from './mail.ts'
import { enqueueMigration } from './migration.ts'
import { Replica } from './replica.ts'
import { checkResults, printSummary } from './summary.ts'
import { Users } from './users.ts'

const USERS = 50_000
const MAILS = 200
/** The replica that runs the migration is killed when this share of the rows is done. */
const KILL_AT = 0.3

const folder = join(import.meta.dirname, '..', '.runner', 'demo')
const started = performance.now()
const say = (line: string) => console.log(line)

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
using users = Users.create(join(folder, 'users.db'), USERS)
say(`${USERS.toLocaleString('en')} users in ${join('.runner', 'demo', 'users.db')}`)

const replicas = [new Replica('one', folder), new Replica('two', folder)]
process.once('exit', () => replicas.forEach(replica => replica.kill()))
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
await Promise.all(replicas.map(replica => replica.started))
say(
  'two replicas started, with a private Redis and locks of 3 s (the default is 30 s) so that recovery is quick to watch',
)

const mail = await Mail.enqueue(folder, MAILS)
say(`${MAILS} e-mails enqueued beside it`)
const migration = enqueueMigration(folder, users.file)
await users.untilMigrated(KILL_AT)
const killed = replicas.find(replica => replica.runs('migrate-users'))
if (killed === undefined) throw new Error('no replica runs the migration')
killed.kill()
say(`\nreplica ${killed.name} was killed with SIGKILL at ${users.count().migrated.toLocaleString('en')} rows`)

const migrationCode = await migration
await mail.finished()
const results = checkResults({
  users: users.count(),
  expected: USERS,
  mail: await mail.count(),
  mails: MAILS,
  migrationCode,
  killed: 1,
  seconds: (performance.now() - started) / 1000,
})
await mail.close()
await Promise.all(replicas.map(replica => replica.stop()))
printSummary(results, say)
process.exitCode = results.wrong.length === 0 ? 0 : 1
