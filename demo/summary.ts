/** The figures of the demo, each held against what it must be. */
import type { JobCount } from './ledger.ts'
import type { LedgerCount, UserCount } from './users.ts'

export interface Results {
  users: UserCount
  jobs: JobCount
  ledger: LedgerCount
  /** Users and e-mails there were at the start. */
  expected: { users: number; mails: number }
  /** Rows that were migrated when the replica was gone. */
  killedAt: number
  /** Of `runner enqueue --follow`. */
  exitCode: number | null
  seconds: number
}

/** What is not as promised; nothing, if all is. */
export function faultsOf({ users, jobs, ledger, expected, killedAt, exitCode }: Results): string[] {
  const checks: [boolean, string][] = [
    [exitCode === 0, `the migration ended with exit code ${exitCode}`],
    [users.rows === expected.users, `there are ${users.rows} rows instead of ${expected.users}`],
    [users.migrated === users.rows, `${users.rows - users.migrated} rows were missed`],
    [users.twice === 0, `${users.twice} rows were touched twice`],
    [killedAt < expected.users, 'the migration was over before its replica was killed'],
    [ledger.state === 'succeeded', `the run is ${ledger.state}`],
    [ledger.rows === expected.users, `the ledger has ${ledger.rows} rows instead of ${expected.users}`],
    [ledger.claims > ledger.shards, 'no shard was taken over from the replica that was killed'],
    [jobs.failed === 0, `${jobs.failed} jobs failed`],
    [jobs.completed === jobs.enqueued, `${lost(jobs)} jobs were lost`],
    [jobs.sent === expected.mails, `${jobs.sent} e-mails were sent instead of ${expected.mails}`],
  ]
  return checks.filter(([holds]) => !holds).map(([, fault]) => fault)
}

const lost = ({ enqueued, completed, failed }: JobCount): number => enqueued - completed - failed

export function printSummary({ users, jobs, ledger, killedAt, seconds }: Results): void {
  const figures: [string, number][] = [
    ['rows migrated', users.migrated],
    ['rows touched twice', users.twice],
    ['rows missed', users.rows - users.migrated],
    ['rows in its ledger', ledger.rows],
    ['shards', ledger.shards],
    ['   taken by a slice, times', ledger.claims],
    ['jobs enqueued', jobs.enqueued],
    ['jobs completed', jobs.completed],
    ['jobs lost', lost(jobs)],
    ['jobs started again', jobs.restarted],
    ['e-mails sent', jobs.sent],
    ['replicas killed', 1],
    ['   when rows were done', killedAt],
    ['seconds', Math.round(seconds * 10) / 10],
  ]
  console.log('\nchecked in the database, in Redis and in the outbox:')
  for (const [name, value] of figures)
    console.log(`  ${name.padEnd(24)}${value.toLocaleString('en').padStart(8)}`)
}
