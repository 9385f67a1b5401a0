/** `migration()`: what a file in `scripts/` exports to be run over many rows, exactly once each. */
import { z } from 'zod'
import { MIGRATION, job, type JobDefinition } from '../job/define.ts'
import { PART_OPTIONS } from '../job/part.ts'
import type { JobContext } from '../job/context.ts'
import type { Duration } from '../units.ts'
import type { Queryable, Row } from './database.ts'
import type { Source } from './source.ts'

export interface BatchContext<Of = Row, Args = unknown> {
  readonly rows: readonly Of[]
  readonly args: Args
  /** What is written through it is committed with the cursor, or not at all. */
  readonly tx: Queryable
  /** Keeps a JSON value, for `runner migrations output`; committed with the batch. */
  readonly emit: (value: unknown) => void
  /** Idempotency key of a row: the same whenever it is tried. For what is not written through `tx`. */
  readonly key: (row: Of) => string
  readonly signal: AbortSignal
  readonly log: JobContext['log']
}

export type RowContext<Of = Row, Args = unknown> = Omit<BatchContext<Of, Args>, 'rows'>

export interface VerifyContext<Args = unknown> {
  readonly db: Queryable & {
    /** Whether this finds no row. */
    empty(sql: string, params?: readonly unknown[]): Promise<boolean>
  }
  readonly args: Args
}

export interface MigrationOptions<Of extends object = Row, Schema extends z.ZodType = z.ZodType> {
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
  batch?(context: BatchContext<Of, z.output<Schema>>): unknown
  /** Instead of `batch`: each row in a savepoint of its own. One that throws is recorded, the others commit. */
  each?(row: Of, context: RowContext<Of, z.output<Schema>>): unknown
  /** After the last shard. False, or what it throws, fails the run. */
  verify?(context: VerifyContext<z.output<Schema>>): unknown
}

/** What is in the file, with its defaults, its name and its path. */
export type MigrationFile = MigrationOptions & { shards: number; name: string; file: string }

/** As the engine uses it, for the arguments of one run. */
export type Migration = Omit<MigrationFile, 'source' | 'args'> & { source: Source; args: unknown }

/** `input`: of the schema. */
export function withArgs({ source, args: schema, ...rest }: MigrationFile, input: unknown): Migration {
  const args = schema === undefined ? input : schema.parse(input)
  return { ...rest, args, source: typeof source === 'function' ? source(args) : source }
}

const DEFAULT_SHARDS = 16

/**
 * Declares a migration. The file's path names it, as that of a job.
 *
 * Exactly once for what is written through `tx`; at least once for anything else.
 *
 * @example
 * export default migration({
 *   source: keyset('users', { key: 'id', select: ['id', 'email'] }),
 *   async each(user, { tx }) {
 *     await tx.query('update users set domain_v2 = $1 where id = $2', [domainOf(user.email), user.id])
 *   },
 * })
 */
export function migration<Of extends object = Row, Schema extends z.ZodType = z.ZodUnknown>(
  options: MigrationOptions<Of, Schema>,
): JobDefinition {
  const { queue = 'migrations', description, args } = options
  const definition: JobDefinition = job({
    queue,
    ...(description === undefined ? {} : { description }),
    args: args ?? z.strictObject({}),
    ...PART_OPTIONS,
    run: async ctx => {
      const { runPart } = await import('./part.ts')
      return runPart(definition[MIGRATION] as MigrationFile, ctx)
    },
  })
  // The loader adds name and path of the file.
  definition[MIGRATION] = { ...options, shards: options.shards ?? DEFAULT_SHARDS }
  return definition
}
