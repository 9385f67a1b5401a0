/** `migration()`: what a file in `scripts/` exports to be run over many rows, exactly once each. */
import { z } from 'zod'
import { MIGRATION, job, type JobDefinition } from '../job/define.ts'
import { PART_OPTIONS, type PartContext } from '../job/part.ts'
import type { JobContext } from '../job/context.ts'
import type { Duration } from '../units.ts'
import type { Bridge } from './bridge.ts'
import type { Queryable, Row } from './database.ts'
import { checkOptions } from './option-check.ts'
import type { Source } from './source.ts'
import type { ThrottleSignal } from './throttle.ts'

export interface BatchContext<Of = Row, Args = unknown, Tx = Queryable> {
  readonly rows: readonly Of[]
  readonly args: Args
  /**
   * What is written through it is committed with the cursor, or not at all. With `orm`: its own handle. With
   * `effects: 'external'` there is none, and its query() rejects.
   */
  readonly tx: Tx
  /** Keeps a JSON value, for `runner migrations output`; committed with the batch. */
  readonly emit: (value: unknown) => void
  /** Idempotency key of a row: the same whenever it is tried. For what is not written through `tx`. */
  readonly key: (row: Of) => string
  readonly signal: AbortSignal
  readonly log: JobContext['log']
}

export type RowContext<Of = Row, Args = unknown, Tx = Queryable> = Omit<BatchContext<Of, Args, Tx>, 'rows'>

export interface VerifyContext<Args = unknown> {
  readonly db: Queryable & {
    /** Whether this finds no row. */
    empty(sql: string, params?: readonly unknown[]): Promise<boolean>
  }
  readonly args: Args
}

/** Of a run that is over. */
export interface EndContext<Args = unknown> {
  /** Its id. */
  readonly run: string
  readonly args: Args
  /** Rows that were done, and that were stepped over. */
  readonly rows: number
  readonly failed: number
  /** Why it failed; null: it succeeded. */
  readonly error: string | null
  /** Adds a job. */
  readonly enqueue: JobContext['enqueue']
  readonly log: JobContext['log']
}

export interface MigrationOptions<
  Of extends object = Row,
  Schema extends z.ZodType = z.ZodType,
  Tx = Queryable,
> {
  /** Schema of the arguments. Default: none are taken. */
  args?: Schema
  /** One line for `--help`. */
  description?: string
  /** Or what makes it of the arguments. */
  source: Source<Of> | ((args: z.output<Schema>) => Source<Of>)
  /** Ranges that are worked side by side, by as many slices. Default 16. */
  shards?: number
  /** Name in `databases` of the config file. Default: DATABASE_URL, else `.runner/app.db`. */
  database?: string
  /** Whose transactions are used, on that same database: of `bullmq-runner/kysely` and its like. Default: the driver's. */
  orm?: Bridge<Tx>
  /**
   * 'external': what the code does is not in the database of the ledger. It has no transaction, the cursor is moved
   * when it is done, and each row is given at least once. Default 'database': exactly once.
   */
  effects?: 'database' | 'external'
  /** Migrations that must have succeeded before: until then the run waits. */
  after?: readonly string[]
  /** What makes it wait between two batches: `maxLag()`, `query()`, `http()`. */
  throttle?: readonly ThrottleSignal[]
  /** Rows that there are in about, where the source cannot tell. When it throws, nobody knows, and the run goes on. */
  estimate?(context: VerifyContext<z.output<Schema>>): number | Promise<number>
  /** Default 'migrations'. */
  queue?: string
  /** How long a slice goes on before it lets others have its place. Below the grace of a shutdown. Default 20 s. */
  slice?: Duration
  /**
   * When the file is another one than at the beginning of the run: 'warn' goes on and keeps a note of it, 'stop' fails
   * the run, which goes on with the new file when it is enqueued again. Default 'warn'.
   */
  changed?: 'warn' | 'stop'
  /** Writes some rows. When it throws, they are tried again in halves, until the row that does it is alone. */
  batch?(context: BatchContext<Of, z.output<Schema>, Tx>): unknown
  /** Instead of `batch`: each row in a savepoint of its own. One that throws is recorded, the others commit. */
  each?(row: Of, context: RowContext<Of, z.output<Schema>, Tx>): unknown
  /** After the last shard. False, or what it throws, fails the run. */
  verify?(context: VerifyContext<z.output<Schema>>): unknown
  /** Called once the run is over, at least once; when it throws, twice more, and then there is a note of it in `history`. */
  on?: {
    done?(context: EndContext<z.output<Schema>>): unknown
    failed?(context: EndContext<z.output<Schema>>): unknown
  }
}

/** What is in the file, with its defaults, its name and its path. */
export type MigrationFile = MigrationOptions & { shards: number; name: string; file: string }

/** As the engine uses it, for the arguments of one run. */
export type Migration = Omit<MigrationFile, 'source' | 'args'> & { source: Source; args: unknown }

/** `input`: of the schema. */
export function withArgs({ source, args: schema, ...rest }: MigrationFile, input: unknown): Migration {
  const args = schema === undefined ? input : schema.parse(input)
  const made = typeof source === 'function' ? source(args) : source
  return { ...rest, args, source: made.fresh?.() ?? made }
}

const DEFAULT_SHARDS = 16

/**
 * Declares a migration. The file's path names it, as that of a job.
 *
 * Exactly once for what is written through `tx`; at least once for anything else. Throws JOB_OPTION_INVALID.
 *
 * @example
 * export default migration({
 *   source: keyset('users', { key: 'id', select: ['id', 'email'] }),
 *   async each(user, { tx }) {
 *     await tx.query('update users set domain_v2 = $1 where id = $2', [domainOf(user.email), user.id])
 *   },
 * })
 */
export function migration<Of extends object = Row, Schema extends z.ZodType = z.ZodUnknown, Tx = Queryable>(
  options: MigrationOptions<Of, Schema, Tx>,
): JobDefinition {
  checkOptions(options)
  const { queue = 'migrations', description, args } = options
  const definition: JobDefinition = job({
    queue,
    ...(description === undefined ? {} : { description }),
    args: args ?? z.strictObject({}),
    ...PART_OPTIONS,
    run: async ctx => {
      const { runPart } = await import('./part.ts')
      return runPart(definition[MIGRATION] as MigrationFile, ctx as PartContext)
    },
  })
  // The loader adds name and path of the file.
  definition[MIGRATION] = { ...options, shards: options.shards ?? DEFAULT_SHARDS }
  return definition
}
