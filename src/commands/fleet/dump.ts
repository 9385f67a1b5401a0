/** `runner fleet dump`: what replicas run just now, and where their event loops hang. */
import type { Command } from 'commander'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { dumpText } from './dump-text.ts'
import { addReplicas, tell, type ReplicaFlags } from './tell.ts'

export function define(command: Command, context: CliContext): void {
  addReplicas(command).action(async (names: string[], flags: ReplicaFlags) =>
    tell(context, names, flags, 'dump', null, dumpText),
  )
  addHelp(
    command,
    [
      ['runner fleet dump --all', 'running jobs with their age, stacks of blocked ones, executors'],
      ['runner fleet dump web-7f9c --json'],
    ],
    ['ok', 'runtime', 'usage', 'partial', 'redis', 'notFound', 'noReplica'],
  )
}
