/** `runner fleet diff`: handlers that differ between live replicas, as in a deployment that is under way or stuck. */
import type { Command } from 'commander'
import { Operator } from '../../fleet/operator.ts'
import { openRedis } from '../../redis/connection.ts'
import type { Replica } from '../../redis/replicas.ts'
import { EXIT, RunnerError } from '../../errors.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'

/** One handler that is not the same everywhere. */
interface Difference {
  job: string
  /** What differs: the payload that it takes, or only its code; or some have none. */
  what: 'schema' | 'file' | 'missing'
  /** The replicas that have the same one, largest group first; `schema` and `file` are null where there is none. */
  versions: { schema: string | null; file: string | null; replicas: string[] }[]
}

export function define(command: Command, context: CliContext): void {
  command.action(async () => diff(context))
  addHelp(
    command,
    [
      ['runner fleet diff', 'exit 1 when replicas do not have the same handlers'],
      ['runner fleet diff --json'],
    ],
    ['ok', 'runtime', 'usage', 'redis', 'noReplica'],
  )
}

async function diff(context: CliContext): Promise<void> {
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  await using operator = new Operator(redis)
  const replicas = await operator.replicas()
  if (replicas.length === 0) throw new RunnerError('NO_REPLICA_ANSWERED', 'no replica is live')
  const differences = differencesOf(replicas)
  const text = differences.map(textOf).join('\n')
  context.print(text === '' ? `${replicas.length} replicas have the same handlers` : text, differences)
  if (differences.length > 0) process.exitCode = EXIT.runtime
}

/** Of all live replicas, whatever queues they work: a handler runs on any. */
export function differencesOf(replicas: readonly Replica[]): Difference[] {
  const names = [...new Set(replicas.flatMap(({ jobs }) => jobs))].sort()
  return names.flatMap(job => {
    const groups = Map.groupBy(replicas, ({ handlers }) => JSON.stringify(handlers[job] ?? null))
    if (groups.size < 2) return []
    const versions = [...groups.values()]
      .toSorted((a, b) => b.length - a.length)
      .map(group => {
        const { schema = null, file = null } = group[0]?.handlers[job] ?? {}
        return { schema, file, replicas: group.map(({ id }) => id) }
      })
    const schemas = new Set(versions.map(({ schema }) => schema))
    const what = schemas.has(null) ? 'missing' : schemas.size > 1 ? 'schema' : 'file'
    return [{ job, what, versions } satisfies Difference]
  })
}

const MEANING = {
  missing: 'not everywhere',
  schema: 'takes other payloads',
  file: 'the same payload, another file',
}

function textOf({ job, what, versions }: Difference): string {
  const lines = versions.map(({ schema, file, replicas }) => {
    const version = schema === null ? 'none' : `schema ${schema} file ${file ?? ''}`
    return `  ${version}  ${replicas.join(' ')}`
  })
  return [`${job}  ${MEANING[what]}`, ...lines].join('\n')
}
