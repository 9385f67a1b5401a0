/** Runs the parts of a migration one after the other in this process, as replicas would, with a queue that is played. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { pino } from 'pino'
import type { z } from 'zod'
import type { JobContext } from '../../src/job/context.ts'
import { MIGRATION } from '../../src/job/define.ts'
import { setExecutorSettings } from '../../src/job/executor-settings.ts'
import type { PartContext, PartProgress } from '../../src/job/part.ts'
import type { Queryable } from '../../src/migration/database.ts'
import { migration, type MigrationOptions } from '../../src/migration/definition.ts'
import { openLedger, type Ledger } from '../../src/migration/ledger.ts'
import type { MigrationRun } from '../../src/migration/ledger-run.ts'
import type { TestDatabase } from './databases.ts'

let databases = 0

export class MigrationDriver {
  readonly ledger: Ledger
  readonly queued = new Map<string, unknown>()
  /** What the replica was told, in order. */
  readonly told: PartProgress[] = []
  /** What becomes of a part that is rung for. Default: it is queued. */
  bell: (() => Promise<never>) | undefined
  readonly #definition: ReturnType<typeof migration>
  #fence = 0

  private constructor(ledger: Ledger, definition: ReturnType<typeof migration>) {
    this.ledger = ledger
    this.#definition = definition
  }

  static async open<Of extends object, Schema extends z.ZodType, Tx = Queryable>(
    { url, db }: TestDatabase,
    options: MigrationOptions<Of, Schema, Tx>,
    file = import.meta.filename,
  ): Promise<MigrationDriver> {
    return MigrationDriver.openOn(url, await openLedger(db), options, file)
  }

  static openOn<Of extends object, Schema extends z.ZodType, Tx = Queryable>(
    url: string,
    ledger: Ledger,
    options: MigrationOptions<Of, Schema, Tx>,
    file = import.meta.filename,
  ): MigrationDriver {
    // Those that are open are kept by name.
    const database = `test${++databases}`
    setExecutorSettings({ databases: { [database]: url } })
    const definition = migration({ ...options, database })
    Object.assign(definition[MIGRATION] as object, { name: 'fill', file })
    return new MigrationDriver(ledger, definition)
  }

  /** Of the definition. */
  get source(): object {
    return (this.#definition[MIGRATION] as MigrationOptions).source
  }

  /** Begins a run, or what becomes of that. */
  async enqueue(args: object = {}): Promise<{ run: string; enrolment: string }> {
    return (await this.perform('begin', args)) as { run: string; enrolment: string }
  }

  /** Until nothing is queued. At most so many parts: a slice that comes back for ever fails the test. */
  async drain(most = 500): Promise<void> {
    for (let parts = 0; this.queued.size > 0; parts++) {
      if (parts === most) throw new Error(`still queued: ${[...this.queued.keys()].join(', ')}`)
      const [id] = this.queued.keys() as Iterator<string> as IterableIterator<string>
      await this.take(id as string)
    }
  }

  /** One part that is queued. */
  async take(id: string): Promise<unknown> {
    const payload = this.queued.get(id)
    this.queued.delete(id)
    return this.perform(id, payload)
  }

  async perform(id: string, args: unknown, signal = new AbortController().signal): Promise<unknown> {
    const ctx: Partial<PartContext> = {
      args,
      id,
      name: 'fill',
      queue: 'migrations',
      fence: ++this.#fence,
      signal,
      log: pino({ level: 'silent' }) as unknown as JobContext['log'],
      breathe: async () => {
        await nextTurn()
        signal.throwIfAborted()
      },
      progressed: progress => void this.told.push(progress),
      enqueue: async (_name, payload, options) => {
        await this.bell?.()
        const part = options?.id as string
        if (!this.queued.has(part)) this.queued.set(part, payload)
        return part
      },
    }
    try {
      return await this.#definition.run(ctx as JobContext)
    } catch (error) {
      if ((error as Error).name !== 'Snooze') throw error
      this.queued.set(id, args)
      return undefined
    }
  }

  /** From the beginning to the end. */
  async run(args: object = {}): Promise<MigrationRun> {
    const { run } = await this.enqueue(args)
    await this.drain()
    return this.ledger.runs.get(run)
  }

  /** Rows that the replica was told of. */
  get rowsTold(): number {
    return this.told.reduce((sum, { rows }) => sum + rows, 0)
  }

  async rows(run: string): Promise<number> {
    return (await this.ledger.shards.list(run)).reduce((sum, shard) => sum + shard.rows, 0)
  }
}
