/** `runner fleet resume`: replicas that are quiet take jobs again. */
import type { Command } from 'commander'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { addReplicas, tell, type ReplicaFlags } from './tell.ts'

export function define(command: Command, context: CliContext): void {
  addReplicas(command).action(async (names: string[], flags: ReplicaFlags) =>
    tell(context, names, flags, 'resume', null, ({ quiet }) =>
      quiet ? 'stays quiet: it is stopping, or has done its --max-jobs' : 'takes jobs',
    ),
  )
  addHelp(
    command,
    [['runner fleet resume --all'], ['runner fleet resume web-7f9c']],
    ['ok', 'runtime', 'usage', 'partial', 'redis', 'notFound', 'noReplica'],
  )
}
