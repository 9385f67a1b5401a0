/** Which replicas a verb is for, and what they made of it. */
import { EXIT, RunnerError } from '../../errors.ts'
import type { Verb } from '../../fleet/command.ts'
import type { Operator, Reply } from '../../fleet/operator.ts'
import type { Replica } from '../../redis/replicas.ts'
import { didYouMean } from '../../suggestion.ts'
import type { Output } from '../output.ts'

/** Milliseconds that replicas have to answer: one that is busy does so at once, its supervisor runs no handler. */
export const ANSWER_WITHIN = 5_000

/** `names`: ids, beginnings of one id, or hosts. None means all, which has to be said. */
export async function chooseReplicas(
  operator: Operator,
  names: readonly string[],
  all: boolean,
): Promise<Replica[]> {
  if (all === names.length > 0)
    throw new RunnerError('USAGE', 'say which replicas: by id, beginning of an id or host, or --all', {
      hint: 'runner fleet list shows them',
    })
  const live = await operator.replicas()
  if (live.length === 0) throw new RunnerError('NO_REPLICA_ANSWERED', 'no replica is live')
  if (all) return live
  const chosen = new Set(names.flatMap(name => find(live, name)))
  return live.filter(replica => chosen.has(replica))
}

function find(live: readonly Replica[], name: string): Replica[] {
  const exact = live.filter(({ id, host }) => id === name || host === name)
  if (exact.length > 0) return exact
  const begun = live.filter(({ id }) => id.startsWith(name))
  if (begun.length === 1) return begun
  const ids = live.map(({ id }) => id)
  if (begun.length === 0)
    throw new RunnerError('REPLICA_UNKNOWN', `no live replica is ${name}`, {
      hint: 'runner fleet list shows them',
      ...didYouMean(name, [...ids, ...live.map(({ host }) => host)]),
    })
  throw new RunnerError('USAGE', `${name} is the beginning of ${begun.length} replicas`, {
    hint: begun.map(({ id }) => id).join(', '),
  })
}

/**
 * Prints a line for each, and sets the exit code: 69 when none answered, 3 when some did not do it, 1 when none did.
 */
export function report<V extends Verb>(
  output: Pick<Output, 'print'>,
  replies: readonly Reply<V>[],
  textOf: (value: NonNullable<Reply<V>['value']>) => string,
): void {
  const answered = replies.filter(({ value, error }) => value !== undefined || error !== undefined)
  if (answered.length === 0)
    throw new RunnerError(
      'NO_REPLICA_ANSWERED',
      `none of ${replies.length} replicas answered within ${ANSWER_WITHIN / 1_000} s`,
      {
        hint: 'they may have died just now: runner fleet list',
        details: replies.map(({ replica }) => replica.id),
      },
    )
  const lines = replies.map(
    ({ replica, value, error }) =>
      `${replica.id}  ${value === undefined ? (error ?? 'did not answer') : textOf(value)}`,
  )
  const rows = replies.map(({ replica, value, error }) => ({
    replica: replica.id,
    done: value !== undefined,
    ...(value === undefined ? { error: error ?? 'did not answer' } : { value }),
  }))
  output.print(lines.join('\n'), rows)
  const done = rows.filter(row => row.done).length
  if (done < rows.length) process.exitCode = done === 0 ? EXIT.runtime : EXIT.partial
}
