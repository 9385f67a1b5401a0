/** `runner fleet quiet`: replicas take no new jobs; what runs goes on. */
import type { Command } from 'commander'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { addReplicas, tell, type ReplicaFlags } from './tell.ts'

export function define(command: Command, context: CliContext): void {
  addReplicas(command).action(async (names: string[], flags: ReplicaFlags) =>
    tell(context, names, flags, 'quiet', null, ({ running }) => `takes no new jobs, ${running} running`),
  )
  addHelp(
    command,
    [
      ['runner fleet quiet web-7f9c', 'one replica, by the beginning of its id'],
      ['runner fleet quiet --all', 'before a migration of the database, say'],
    ],
    ['ok', 'runtime', 'usage', 'partial', 'redis', 'notFound', 'noReplica'],
  )
}
