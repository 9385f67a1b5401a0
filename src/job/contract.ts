/**
 * What a job takes and where it goes, apart from what it does: a producer and a handler in two places share it. `job()`
 * says the same in the file of a handler, whose path is the name.
 */
import type { z } from 'zod'
import { RunnerError } from '../errors.ts'
import { MIGRATION, jobOptions, type JobOptions } from './define.ts'
import { nameFault } from './discover.ts'
import { optionInvalid } from './load.ts'
import type { JobEntry } from './manifest.ts'

/** Shared by every copy of this package. */
const BRAND = Symbol.for('bullmq-runner.contract')

export type ContractOptions<Schema extends z.ZodType = z.ZodType> = Omit<
  JobOptions<Schema>,
  'run' | 'queue'
> & {
  queue: string
  name: string
}

/** Options as they were given. `RunnerProducer` adds by it, `@JobHandler` handles by it. */
export type Contract<Schema extends z.ZodType = z.ZodType> = Readonly<ContractOptions<Schema>> & {
  readonly [BRAND]: true
}

/** A schedule is read where the handler is loaded: it needs a parser of cron patterns, which a producer does not. */
const stored = jobOptions.omit({ run: true, schedule: true })

/** Options of a contract as the runtime uses them: durations in milliseconds. */
type StoredContract = Pick<
  JobEntry,
  'attempts' | 'backoff' | 'priority' | 'removeOnComplete' | 'removeOnFail'
>

/**
 * Throws JOB_OPTION_INVALID for an option that cannot be, and for a name that no job can have. Takes the definition of a
 * job file too, whose `run` it leaves out.
 *
 * @example
 * export const sendEmail = contract({ queue: 'mail', name: 'send-email', args: z.object({ to: z.email() }), attempts: 5 })
 * export const imports = contract({ queue: 'imports', name: 'users/import', ...importUsers })
 */
export function contract<Schema extends z.ZodType = z.ZodUnknown>(
  options: ContractOptions<Schema>,
): Contract<Schema> {
  const given = { ...options } as ContractOptions<Schema> & { run?: unknown; [MIGRATION]?: unknown }
  delete given.run
  if (given[MIGRATION] !== undefined)
    throw new RunnerError('JOB_OPTION_INVALID', `contract ${given.name}: it is a migration`, {
      hint: 'a run is begun by `runner enqueue`, which makes its shards',
    })
  const fault = typeof given.name === 'string' && given.name !== '' ? nameFault(given.name) : 'it has no name'
  if (fault !== undefined)
    throw new RunnerError('JOB_OPTION_INVALID', `contract ${JSON.stringify(given.name)}: ${fault}`, {
      hint: 'name it with letters, digits and - _ . / @ + =',
    })
  if (typeof given.queue !== 'string')
    throw new RunnerError('JOB_OPTION_INVALID', `contract ${given.name}: it names no queue`)
  readContract(given)
  return Object.freeze({ ...given, [BRAND]: true as const })
}

/** As the runtime uses it. Throws JOB_OPTION_INVALID. */
export function readContract(given: object & { name: string; schedule?: unknown }): StoredContract {
  const { name, schedule: _schedule, ...options } = given
  const parsed = stored.safeParse(options)
  if (parsed.success) return parsed.data as StoredContract
  throw optionInvalid(`contract ${name}`, options as never, parsed.error)
}

export function isContract(value: unknown): value is Contract {
  return typeof value === 'object' && value !== null && BRAND in value
}
