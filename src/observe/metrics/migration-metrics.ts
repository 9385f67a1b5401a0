/** Migrations, as their slices tell what they committed here and what made them wait. */
import { Counter, Gauge, type Registry } from '@prometheus-io/client'
import { HOLD_REASONS, type Events } from '../events.ts'
import { OTHER } from './job-series.ts'

export function migrationMetrics(
  registry: Registry,
  events: Events,
  isHandler: (name: string) => boolean,
): void {
  const registers = [registry]
  const rows = new Counter({
    name: 'runner_migration_rows_total',
    help: 'Rows that migrations committed here, with those stepped over. Without the last second of a killed executor.',
    labelNames: ['name'],
    registers,
  })
  const batch = new Gauge({
    name: 'runner_migration_batch_rows',
    help: 'Rows of the last batch that a slice of a migration committed here, as it last told.',
    labelNames: ['name'],
    registers,
  })
  const holds = new Counter({
    name: 'runner_migration_holds_total',
    help: 'Looks of this replica, of all replicas at most one a second and run, that said that a migration has to wait.',
    labelNames: ['name', 'reason'],
    registers,
  })
  const known = new Set<string>()
  const open = (name: string) => {
    known.add(name)
    // A rate is known only of a series that was there before.
    rows.inc({ name }, 0)
    for (const reason of HOLD_REASONS) holds.inc({ name, reason }, 0)
  }
  events.on('migration.progressed', ({ job, held, ...told }) => {
    const name = isHandler(job) ? job : OTHER
    if (!known.has(name)) open(name)
    rows.inc({ name }, told.rows)
    if (told.batch !== undefined) batch.set({ name }, told.batch)
    // A signal of the author's own may call itself anything.
    if (held !== undefined)
      holds.inc({ name, reason: HOLD_REASONS.find(reason => reason === held) ?? 'other' })
  })
}
