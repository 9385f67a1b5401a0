/** A schedule as a file could declare it. */
import { toJobsOptions } from '../../src/job/enqueue-options.ts'
import type { Declared } from '../../src/schedule/declared.ts'

export function declaration(given: Partial<Declared> = {}): Declared {
  const { job = 'report', cron, every, ...rest } = given
  return {
    id: job,
    job,
    queue: 'default',
    ...(every === undefined ? { cron: cron ?? '0 3 * * *', timezone: 'UTC' } : { every }),
    args: {},
    options: toJobsOptions(),
    from: `jobs/${job}.ts`,
    ...rest,
  }
}
