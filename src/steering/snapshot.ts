/** What `runner top` shows, read anew for each frame. */
import type { Inspector } from '../inspector/inspector.ts'
import { figuresOf, type QueueFigures } from '../inspector/figures.ts'
import { rowsOf, type JobRow } from '../inspector/row.ts'
import { queueNames } from '../redis/queue-names.ts'
import { RecentNames } from '../redis/recent-names.ts'
import { Replicas, type BlockedRun, type Replica } from '../redis/replicas.ts'
import type { Ledger } from '../migration/ledger.ts'
import type { MigrationRun } from '../migration/ledger-run.ts'
import { shownRuns } from './shown-runs.ts'
import { rowsOf as rowsDone } from '../migration/shard-ledger.ts'

/** Running jobs that are read of one queue. */
const RUNNING = 50

export interface RunningJob extends JobRow {
  /** Milliseconds since it was begun, by the clock of this host. */
  age: number
  blocked?: BlockedRun
}

export interface RunningMigration {
  run: MigrationRun
  /** Where it is written down. */
  ledger: Ledger
  rows: number
  failed: number
  /** Rows a second since the frame before; null in the first one. */
  rate: number | null
}

export interface Snapshot {
  at: number
  queues: QueueFigures[]
  running: RunningJob[]
  replicas: Replica[]
  migrations: RunningMigration[]
}

export class Snapshots {
  readonly #inspector: Inspector
  readonly #ledgers: readonly Ledger[]
  readonly #names: RecentNames
  #rows = new Map<string, { rows: number; at: number }>()

  /** `only`: these queues; none means all. */
  constructor(inspector: Inspector, ledgers: readonly Ledger[], only: readonly string[]) {
    this.#inspector = inspector
    this.#ledgers = ledgers
    this.#names = new RecentNames(() =>
      only.length > 0 ? inspector.choose(only) : queueNames(inspector.client, inspector.prefix),
    )
  }

  async take(): Promise<Snapshot> {
    const names = await this.#names.list()
    const { client, prefix } = this.#inspector
    const [replicas, migrations] = await Promise.all([
      new Replicas(client, prefix).list(),
      this.#migrations(),
    ])
    const queues = await figuresOf(this.#inspector, names, replicas)
    const running = await this.#running(queues, replicas)
    return { at: Date.now(), queues, running, replicas, migrations }
  }

  async #running(queues: readonly QueueFigures[], replicas: readonly Replica[]): Promise<RunningJob[]> {
    const { client, baseOf } = this.#inspector
    const blocks = replicas.flatMap(({ blocked }) => blocked)
    const lists = await Promise.all(
      queues
        .filter(({ active }) => active > 0)
        .map(async ({ queue }) => {
          const base = baseOf(queue)
          const ids = await client.lrange(`${base}active`, -RUNNING, -1)
          return rowsOf(client, { queue, base, state: 'active' }, ids)
        }),
    )
    const now = Date.now()
    return lists.flat().map(row => {
      const blocked = blocks.find(({ queue, id }) => queue === row.queue && id === row.id)
      const age = Math.max(0, now - (row.processedOn ?? now))
      return { ...row, age, ...(blocked === undefined ? {} : { blocked }) }
    })
  }

  async #migrations(): Promise<RunningMigration[]> {
    const before = this.#rows
    this.#rows = new Map()
    const all = await Promise.all(
      this.#ledgers.map(async ledger => {
        const shown = await shownRuns(ledger)
        return Promise.all(shown.map(run => this.#progress(ledger, run, before)))
      }),
    )
    return all.flat()
  }

  async #progress(
    ledger: Ledger,
    run: MigrationRun,
    before: ReadonlyMap<string, { rows: number; at: number }>,
  ): Promise<RunningMigration> {
    const [shards, failed] = await Promise.all([ledger.shards.list(run.id), ledger.failures.count(run.id)])
    const rows = rowsDone(shards)
    const at = performance.now()
    const last = before.get(run.id)
    this.#rows.set(run.id, { rows, at })
    const rate = last === undefined ? null : Math.max(0, ((rows - last.rows) * 1_000) / (at - last.at))
    return { run, ledger, rows, failed, rate }
  }
}
