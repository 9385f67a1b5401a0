/** What the keys of the live view do: the same as the verbs do. Each says in one line what came of it. */
import type { Config } from '../../config.ts'
import { messageOf } from '../../errors.ts'
import { Cancellations } from '../../fleet/cancellation.ts'
import type { Operator } from '../../fleet/operator.ts'
import { bulk } from '../../inspector/bulk.ts'
import type { QueueFigures } from '../../inspector/figures.ts'
import type { Inspector } from '../../inspector/inspector.ts'
import { retrying } from '../../inspector/retrying.ts'
import type { Replica } from '../../redis/replicas.ts'
import { CANCEL, moveRun, PAUSE, RESUME } from '../../steering/moves.ts'
import { ring } from '../migrations/ring.ts'
import { userName } from '../user-name.ts'
import type { CliContext } from '../verbs.ts'
import type { RunningJob, RunningMigration } from '../../steering/snapshot.ts'
import type { Action } from './view.ts'

/** Milliseconds that a replica has to answer. */
const ANSWER_WITHIN = 3_000

export interface ActionTools {
  config: Config
  context: CliContext
  inspector: Inspector
  operator: Operator
  /** Ends what has been begun. */
  signal: AbortSignal
  /** How far something long is. */
  say: (line: string) => void
}

const DOES: Record<Action['section'], (action: Action, tools: ActionTools) => Promise<string>> = {
  queues: ({ kind, row }, tools) => (kind === 'retry' ? retryFailed : pauseQueue)(row as QueueFigures, tools),
  running: ({ row }, tools) => cancelJob(row as RunningJob, tools),
  replicas: ({ row }, tools) => quietReplica(row as Replica, tools),
  migrations: ({ kind, row }, tools) => steerRun(kind, row as RunningMigration, tools),
}

/** Never rejects: what went wrong is what came of it. */
export async function perform(action: Action, tools: ActionTools): Promise<string> {
  try {
    return await DOES[action.section](action, tools)
  } catch (error) {
    return messageOf(error)
  }
}

async function pauseQueue({ queue, paused }: QueueFigures, { inspector }: ActionTools): Promise<string> {
  const bull = inspector.queue(queue)
  await (paused ? bull.resume() : bull.pause())
  return `${queue} is ${paused ? 'open' : 'paused'}`
}

async function retryFailed(
  { queue }: QueueFigures,
  { inspector, signal, say }: ActionTools,
): Promise<string> {
  const target = { queue, base: inspector.baseOf(queue), state: 'failed' as const }
  const { done, failed, reason } = await bulk(inspector.client, [target], {
    filter: {},
    limit: Infinity,
    signal,
    onProgress: counts => say(`${counts.done} jobs of ${queue} retried so far`),
    change: retrying(inspector),
  })
  return `${done} jobs of ${queue} retried${failed === 0 ? '' : `, ${failed} failed: ${reason}`}`
}

async function cancelJob(
  { queue, id, name }: RunningJob,
  { inspector, operator, say }: ActionTools,
): Promise<string> {
  say(`cancelling ${name} ${id}`)
  const cancellations = new Cancellations(operator, inspector.client, `by ${userName()}`)
  const { how } = await cancellations.cancel(inspector.queue(queue), id)
  return how === 'gone' ? `${name} ${id} was over` : `${name} ${id}: ${how}`
}

async function quietReplica(replica: Replica, { operator }: ActionTools): Promise<string> {
  const verb = replica.quiet ? 'resume' : 'quiet'
  const [reply] = await operator.tell([replica], verb, null, ANSWER_WITHIN)
  if (reply?.value === undefined) return `${replica.id} ${reply?.error ?? 'did not answer'}`
  return `${replica.id} ${replica.quiet ? 'takes jobs' : 'takes no new jobs'}`
}

async function steerRun(
  kind: Action['kind'],
  { run, ledger }: RunningMigration,
  { config, context }: ActionTools,
): Promise<string> {
  const move = kind === 'cancel' ? CANCEL : run.state === 'paused' ? RESUME : PAUSE
  await moveRun(
    move,
    { ledger, run },
    { by: userName(), ring: (one, part) => ring(config, one, part, context) },
  )
  return move.done(run)
}
