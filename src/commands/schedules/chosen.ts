/** The schedule that a person named. */
import { RunnerError } from '../../errors.ts'
import { didYouMean } from '../../suggestion.ts'

interface Known {
  id: string
  queue: string
}

/** The only one of that id, in `queue` if one is given; undefined: there is none. Throws USAGE where there are several. */
export function choose<One extends Known>(
  all: readonly One[],
  id: string,
  queue: string | undefined,
): One | undefined {
  const [one, ...others] = all.filter(
    known => known.id === id && (queue === undefined || known.queue === queue),
  )
  if (one === undefined || others.length === 0) return one
  const queues = [one, ...others].map(known => known.queue).join(', ')
  throw new RunnerError('USAGE', `schedule ${id} is in queues ${queues}`, {
    hint: 'say which one by --queue',
  })
}

export function unknownSchedule(id: string, queue: string | undefined, known: readonly Known[]): RunnerError {
  const ids = [...new Set(known.map(one => one.id))]
  const hint =
    ids.length === 0 ? { hint: 'there is none: runner schedules apply makes those of the files' } : {}
  const where = queue === undefined ? '' : ` in queue ${queue}`
  return new RunnerError('SCHEDULE_UNKNOWN', `no schedule ${JSON.stringify(id)}${where}`, {
    ...hint,
    ...didYouMean(id, ids),
    details: { known: ids },
  })
}
