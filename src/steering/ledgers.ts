/** The ledgers of all databases that are configured, and the run that a person means. */
import { existsSync } from 'node:fs'
import { databasesOf, type Config } from '../config.ts'
import { RunnerError } from '../errors.ts'
import { openLedgerOf } from '../migration/databases.ts'
import type { Ledger } from '../migration/ledger.ts'
import type { MigrationRun } from '../migration/ledger-run.ts'
import { didYouMean } from '../suggestion.ts'

/** As `Ledgers.find` takes it. */
export const RUN_ARGUMENT = ['<run>', 'its id, or the name of a migration for its newest run'] as const

export class Ledgers implements AsyncDisposable {
  readonly all: readonly Ledger[]

  private constructor(all: readonly Ledger[]) {
    this.all = all
  }

  static async open(config: Config): Promise<Ledgers> {
    const databases = databasesOf(config)
    return new Ledgers(
      await Promise.all(Ledgers.names(config).map(async name => openLedgerOf(name, databases))),
    )
  }

  /** Of the databases that there are by now: to look into a file is no reason to make it. */
  static names(config: Config): string[] {
    const databases = Object.entries(databasesOf(config))
    return databases.flatMap(([name, url]) =>
      !url.startsWith('sqlite:') || existsSync(url.slice('sqlite:'.length)) ? [name] : [],
    )
  }

  /** Newest first. */
  async list(name?: string): Promise<MigrationRun[]> {
    const lists = await Promise.all(this.all.map(({ runs }) => runs.list(name)))
    return lists.flat().toSorted((a, b) => b.createdAt - a.createdAt)
  }

  /** By id, or the newest of a migration by its name. Throws MIGRATION_UNKNOWN. */
  async find(idOrName: string): Promise<{ ledger: Ledger; run: MigrationRun }> {
    const known: MigrationRun[] = []
    for (const ledger of this.all) {
      const runs = await ledger.runs.list()
      const run = runs.find(({ id }) => id === idOrName) ?? runs.find(({ name }) => name === idOrName)
      if (run !== undefined) return { ledger, run }
      known.push(...runs)
    }
    const names = new Set(known.flatMap(({ id, name }) => [id, name]))
    throw new RunnerError('MIGRATION_UNKNOWN', `there is no run ${idOrName}`, {
      hint:
        known.length === 0 ? 'runner enqueue <migration> begins one' : 'runner migrations list shows them',
      ...didYouMean(idOrName, [...names]),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map(({ db }) => db.close()))
  }
}
