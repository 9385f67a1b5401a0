/**
 * `npm run demo`: 50,000 users are migrated by a fleet of two replicas, and one of them is killed with SIGKILL on the way. Every figure of the summary is read from the database and from Redis, not from the commands.
 *
 * `node demo/main.ts FOLDER` does it elsewhere. What it leaves there is removed by the next demo.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { ROOT } from './command.ts'
import { Ledger } from './ledger.ts'
import { Migration } from './migration.ts'
import { Replica } from './replica.ts'
import { faultsOf, printSummary, type Results } from './summary.ts'
import { Users } from './users.ts'

const USERS = 50_000
const MAILS = 200
/** Shares of the rows at which the e-mails are added, and at which the replica that migrates is killed. */
const MAILS_AT = 0.28
const KILL_AT = 0.3

const runner = resolve(process.argv[2] ?? ROOT, '.runner')
const folder = join(runner, 'demo')
const say = (line: string) => console.log(line)

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const results = await demo()
printSummary(results)
const faults = faultsOf(results)
if (faults.length > 0) {
  say(`\nNOT AS PROMISED: ${faults.join('; ')}. See the logs in ${folder}`)
  process.exit(1)
}
say(`
Go on: npx runner dev                                            in one terminal
       npx runner enqueue hash-tree --dir node_modules --follow  in another
       README.md says the rest`)

async function demo(): Promise<Results> {
  const started = performance.now()
  const children: { kill(): unknown }[] = []
  endWith(children)
  using users = Users.create(join(runner, 'app.db'), USERS)
  say(`${USERS.toLocaleString('en')} users in ${relative(process.cwd(), users.file)}`)

  await using ledger = await Ledger.open(folder)
  Migration.begin(folder, users.file)
  const replicas = [new Replica('one', folder, users.file), new Replica('two', folder, users.file)]
  children.push(...replicas)
  await Promise.all(replicas.map(replica => replica.started))
  say(
    '\ntwo replicas on a private Redis; locks of 3 s (the default is 8 s), so that recovery is quick to watch',
  )

  const migration = Migration.follow(folder, users.file)
  children.push(migration)
  await Promise.race([users.untilMigrated(MAILS_AT), endedEarly(migration)])
  await ledger.addMails(MAILS)
  await users.untilMigrated(KILL_AT)
  // Both work on shards of it.
  const [victim] = replicas as [Replica, Replica]
  await victim.kill()
  const killedAt = users.count().migrated
  // The blank line is for the bar, which takes what is above it for its own.
  say(`replica ${victim.name} was killed with SIGKILL: its shards go on in the other\n`)

  const exitCode = await migration.ended
  await ledger.untilFinished()
  const jobs = await ledger.count()
  await Promise.all(replicas.map(replica => replica.stop()))
  const seconds = (performance.now() - started) / 1000
  const expected = { users: USERS, mails: MAILS }
  return { users: users.count(), jobs, ledger: users.ledger(), expected, killedAt, exitCode, seconds }
}

/** A migration that fails at once would never come to the share that is waited for. */
async function endedEarly(migration: Migration): Promise<never> {
  throw new Error(`the migration ended too early, with exit code ${await migration.ended}`)
}

/** However the demo ends, nothing of it goes on. */
function endWith(children: { kill(): unknown }[]): void {
  process.once('exit', () => children.forEach(child => void child.kill()))
  for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }))
    process.once(signal, () => process.exit(code))
}
