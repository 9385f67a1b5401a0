/** The figures of the demo, each held against what it must be. */
import type { MailCount } from './mail.ts'
import type { UserCount } from './users.ts'

export interface Results {
  users: UserCount
  expected: number
  mail: MailCount
  mails: number
  /** Exit code of `runner enqueue --follow`. */
  migrationCode: number | null
  killed: number
  seconds: number
}

export function checkResults(results: Results): Results & { wrong: string[] } {
  const { users, expected, mail, mails, migrationCode } = results
  const checks: [boolean, string][] = [
    [migrationCode === 0, `the migration ended with exit code ${migrationCode}`],
    [users.migrated === expected, `${expected - users.migrated} rows were missed`],
    [users.twice === 0, `${users.twice} rows were touched twice`],
    [mail.completed === mails, `${mails - mail.completed} e-mail jobs did not complete`],
    [mail.sent === mails, `${mail.sent} e-mails were sent instead of ${mails}`],
  ]
  return { ...results, wrong: checks.filter(([holds]) => !holds).map(([, what]) => what) }
}

export function printSummary(results: ReturnType<typeof checkResults>, say: (line: string) => void): void {
  const { users, mail, mails, killed, seconds, wrong } = results
  const figure = (name: string, value: number) =>
    say(`  ${name.padEnd(22)}${value.toLocaleString('en').padStart(8)}`)
  say('\nchecked in the database and in Redis:')
  figure('rows migrated', users.migrated)
  figure('rows touched twice', users.twice)
  figure('rows missed', users.rows - users.migrated)
  figure('jobs enqueued', mails + 1)
  figure('jobs lost', mails - mail.completed + (results.migrationCode === 0 ? 0 : 1))
  figure('replicas killed', killed)
  figure('seconds', Math.round(seconds * 10) / 10)
  if (wrong.length > 0) {
    say(`\nNOT AS PROMISED: ${wrong.join('; ')}`)
    return
  }
  say('\nGo on: npx runner dev                                          (in one terminal)')
  say('       npx runner enqueue hash-tree --dir node_modules --follow (in another)')
  say('       README.md says the rest')
}
