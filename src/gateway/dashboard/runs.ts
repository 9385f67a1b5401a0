/** Runs of migrations, for a process that lives longer than a command: databases come and go meanwhile. */
import type { Config } from '../../config.ts'
import type { Ledger } from '../../migration/ledger.ts'
import type { MigrationRun } from '../../migration/ledger-run.ts'
import { Ledgers } from '../../steering/ledgers.ts'
import { progressOf, type RunProgress } from '../../steering/run-progress.ts'
import { shownRuns } from '../../steering/shown-runs.ts'

/** Milliseconds after which a database that could not be had is asked again. */
const AGAIN = 10_000

export class Runs implements AsyncDisposable {
  readonly #config: Config
  #opened: { ledgers: Promise<Ledgers>; names: number } | undefined
  #failed: { at: number; error: unknown } | undefined
  /** The last look at each: how fast it goes is told from two. */
  #before = new Map<string, RunProgress>()

  constructor(config: Config) {
    this.#config = config
  }

  /** Newest first: those that go on, and those that ended a short while ago. Throws DATABASE_UNREACHABLE. */
  async list(): Promise<RunProgress[]> {
    const ledgers = await this.#ledgers()
    const all = await Promise.all(
      ledgers.all.map(async ledger => {
        const shown = await shownRuns(ledger)
        return Promise.all(shown.map(({ id }) => progressOf(ledger, id, this.#before.get(id))))
      }),
    )
    const runs = all.flat().toSorted((a, b) => b.run.createdAt - a.run.createdAt)
    this.#before = new Map(runs.map(progress => [progress.run.id, progress]))
    return runs
  }

  /** Throws MIGRATION_UNKNOWN, DATABASE_UNREACHABLE. */
  async find(id: string): Promise<{ ledger: Ledger; run: MigrationRun }> {
    return (await this.#ledgers()).find(id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }

  /** Opened when they are first looked at, and anew when the file of one has come or gone. */
  async #ledgers(): Promise<Ledgers> {
    const names = Ledgers.names(this.#config).length
    if (this.#opened !== undefined && this.#opened.names !== names) await this.#close()
    if (this.#failed !== undefined && performance.now() - this.#failed.at < AGAIN) throw this.#failed.error
    const opened = (this.#opened ??= { ledgers: Ledgers.open(this.#config), names })
    try {
      const ledgers = await opened.ledgers
      this.#failed = undefined
      return ledgers
    } catch (error) {
      this.#failed = { at: performance.now(), error }
      this.#opened = undefined
      throw error
    }
  }

  async #close(): Promise<void> {
    const ledgers = this.#opened?.ledgers
    this.#opened = undefined
    await (await ledgers?.catch(() => undefined))?.[Symbol.asyncDispose]()
  }
}
