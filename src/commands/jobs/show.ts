/** `runner jobs show <id>`: all that is known of one job. */
import type { Command } from 'commander'
import { flowTreeText, readFlowTree } from '../../fleet/flow-tree.ts'
import { detailsOf, type JobDetails } from '../../inspector/details.ts'
import { Inspector } from '../../inspector/inspector.ts'
import { openRedis } from '../../redis/connection.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument('<id>', 'of the job')
    .option('--queue <name>', 'where more than one queue has a job of this id')
    .option('--tree', 'the flow that it belongs to, from its root down')
    .action(async (id: string, flags: { queue?: string; tree?: true }) => show(id, flags, context))
  addHelp(
    command,
    [
      ['runner jobs show 4711', 'payload, attempts, stacks, times, replica; --redact hides fields'],
      ['runner jobs show 4711 --queue mail --json'],
      ['runner jobs show 4711 --tree', 'what it waits for, and what waits for it'],
    ],
    ['ok', 'usage', 'redis', 'notFound'],
  )
}

async function show(
  id: string,
  { queue: given, tree }: { queue?: string; tree?: true },
  context: CliContext,
): Promise<void> {
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  await using inspector = new Inspector(redis)
  const queue = await inspector.queueOf(id, given === undefined ? [] : [given])
  if (tree === true) {
    const root = await readFlowTree(inspector.queue(queue), id)
    context.print(flowTreeText(root), root)
    return
  }
  const details = await detailsOf(inspector, queue, id, config.redact)
  context.print(textOf(details), details)
}

function textOf(job: JobDetails): string {
  const { name, id, queue, state, attemptsMade, attemptsStarted, crashes, processedBy, parent, logs } = job
  const attempts = Math.max(1, Number(job.opts['attempts'] ?? 1))
  const lines: [string, string | undefined][] = [
    ['job', `${name} ${id} of queue ${queue}`],
    ['state', state],
    ['attempts', `${attemptsMade} of ${attempts}, begun ${attemptsStarted} times`],
    ['added', time(job.timestamp)],
    ['begun', time(job.processedOn)],
    ['ended', time(job.finishedOn)],
    ['due', job.delay === undefined || state !== 'delayed' ? undefined : time(job.timestamp + job.delay)],
    ['replica', processedBy],
    ['parent', parent === undefined ? undefined : `${parent.id} of queue ${parent.queue}`],
    ['priority', job.priority === undefined ? undefined : String(job.priority)],
    ['progress', json(job.progress)],
    ['checkpoint', json(job.checkpoint)],
    ['steps', job.steps.length === 0 ? undefined : job.steps.join(', ')],
    ['crashes', crashes === 0 ? undefined : `took down ${crashes} executors`],
    ['log', logs === 0 ? undefined : `${logs} lines: runner jobs logs ${id}`],
    ['payload', json(job.data)],
    ['result', json(job.result)],
    ['reason', job.failedReason],
  ]
  const shown = lines.flatMap(([label, text]) => (text === undefined ? [] : [`${label.padEnd(10)}  ${text}`]))
  const last = job.stacktrace.at(-1)
  return [...shown, ...(last === undefined ? [] : [last])].join('\n')
}

function time(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value)
}
