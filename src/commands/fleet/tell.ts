/** The verbs that tell replicas to do one thing: their arguments, and the way there and back. */
import type { Command } from 'commander'
import type { Verb, Verbs } from '../../fleet/command.ts'
import { Operator, type Reply } from '../../fleet/operator.ts'
import { openRedis } from '../../redis/connection.ts'
import type { CliContext } from '../verbs.ts'
import { ANSWER_WITHIN, chooseReplicas, report } from './replicas.ts'

/** `[replica...]` and `--all`. */
export function addReplicas(command: Command): Command {
  return command
    .argument('[replica...]', 'id, beginning of an id, or host; runner fleet list shows them')
    .option('--all', 'all live replicas')
}

export interface ReplicaFlags {
  all?: true
}

export async function tell<V extends Verb>(
  context: CliContext,
  names: readonly string[],
  { all }: ReplicaFlags,
  verb: V,
  args: Verbs[V]['takes'],
  textOf: (value: NonNullable<Reply<V>['value']>) => string,
): Promise<void> {
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  await using operator = new Operator(redis)
  const replicas = await chooseReplicas(operator, names, all === true)
  report(context, await operator.tell(replicas, verb, args, ANSWER_WITHIN), textOf)
}
