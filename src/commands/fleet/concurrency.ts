/** `runner fleet concurrency <queue> <n>`: how many jobs of a queue replicas run at once, until they end. */
import type { Command } from 'commander'
import { RunnerError } from '../../errors.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { addReplicas, tell, type ReplicaFlags } from './tell.ts'

const MOST = 10_000

export function define(command: Command, context: CliContext): void {
  command
    .argument('<queue>', 'one that the replicas work')
    .argument('<n>', `jobs at once in each replica, 1 to ${MOST}`)
  addReplicas(command).action(async (queue: string, given: string, names: string[], flags: ReplicaFlags) => {
    const concurrency = read(given)
    return tell(
      context,
      names,
      flags,
      'concurrency',
      { queue, concurrency },
      ({ before }) => `${queue} ${before} -> ${concurrency}`,
    )
  })
  addHelp(
    command,
    [
      [
        'runner fleet concurrency mail 50 --all',
        'until they are restarted; --queue mail:50 says it for good',
      ],
      ['runner fleet concurrency mail 1 web-7f9c'],
    ],
    ['ok', 'runtime', 'usage', 'partial', 'redis', 'notFound', 'noReplica'],
  )
}

function read(text: string): number {
  const n = Number(text)
  if (/^\d+$/.test(text) && n >= 1 && n <= MOST) return n
  throw new RunnerError('USAGE', `expected a whole number of 1 to ${MOST}, got ${text}`, {
    hint: 'to stop a queue: runner queues pause',
  })
}
