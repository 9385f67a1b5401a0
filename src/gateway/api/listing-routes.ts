/** `GET /v1/queues` and `/v1/migrations`, as `runner queues list --json` and `runner migrations list --json` have them. */
import type { Context } from 'hono'
import { figuresOf } from '../../inspector/figures.ts'
import { jsonOr } from '../../inspector/row.ts'
import { Redaction } from '../../job/redaction.ts'
import type { MigrationRun } from '../../migration/ledger-run.ts'
import { Ledgers } from '../../steering/ledgers.ts'
import { progressOf } from '../../steering/run-progress.ts'
import { within } from '../patience.ts'
import { Problem } from '../problem.ts'
import type { ApiParts } from './parts.ts'
import { readQuery } from './query.ts'
import { migrationsQuery } from './schemas.ts'

/** Milliseconds. */
const READ_MS = 15_000

export const queuesRoute = (parts: ApiParts) => async (c: Context) => {
  const reached = await parts.reach.now()
  const look = async () => {
    const [names, live] = await Promise.all([reached.names.list(), reached.replicas.list()])
    return figuresOf(reached.inspector, names, live)
  }
  return c.json(await within(READ_MS, look(), () => reached.silent(READ_MS)))
}

export function migrationsRoute(parts: ApiParts) {
  return async (c: Context) => {
    const { name } = readQuery(c, migrationsQuery)
    const runs = await withLedgers(parts, ledgers => ledgers.list(name))
    return c.json(runs.map(run => redacted(run, parts)))
  }
}

/** By its id, or the newest of a migration by its name. */
export const migrationRoute = (parts: ApiParts) => async (c: Context) => {
  const found = await withLedgers(parts, async ledgers => {
    const { ledger, run } = await ledgers.find(c.req.param('run') ?? '')
    return progressOf(ledger, run.id)
  })
  const { run, rows, failed, rate, left, shards } = found
  return c.json({
    run: redacted(run, parts),
    rows,
    failed,
    rate,
    left,
    shards: shards.map(({ shard, rows: done, batchSize, open, held }) => ({
      shard,
      rows: done,
      batchSize,
      open,
      held,
    })),
  })
}

/** Opened for each request: a file of SQLite may be there only since a moment ago. */
async function withLedgers<T>({ config }: ApiParts, read: (ledgers: Ledgers) => Promise<T>): Promise<T> {
  const look = async () => {
    await using ledgers = await Ledgers.open(config)
    return await read(ledgers)
  }
  const late = () =>
    new Problem(503, 'DATABASE_UNREACHABLE', `the database has not answered within ${READ_MS} ms`, {
      retryAfter: 5,
    })
  return within(READ_MS, look(), late)
}

function redacted(run: MigrationRun, { config: { redact } }: ApiParts): MigrationRun {
  return { ...run, args: JSON.stringify(new Redaction(redact).apply(jsonOr(run.args))) }
}
