/** `runner jobs replay <id> --local`: the payload of a job, run here, with nothing written to its queue. */
import type { Command } from 'commander'
import { EXIT, RunnerError } from '../../errors.ts'
import { replay as run, type Captured } from '../../fleet/replay.ts'
import { Inspector } from '../../inspector/inspector.ts'
import type { Outcome } from '../../fleet/run.ts'
import { openLog } from '../../observe/logger.ts'
import { openRedis } from '../../redis/connection.ts'
import { Fence } from '../../redis/fence.ts'
import { endProcess } from '../end-process.ts'
import { addHelp } from '../help.ts'
import { findHandler, jobFiles } from '../../enqueue/job-files.ts'
import type { CliContext } from '../verbs.ts'

interface ReplayFlags {
  queue?: string
  local?: true
  job?: string
}

export function define(command: Command, context: CliContext): void {
  command
    .argument('<id>', 'of the job')
    .option('--queue <name>', 'where more than one queue has a job of this id')
    .option('--local', 'here: say so, since the handler does to other systems what it does')
    .option('--job <name>', 'by this handler; default: that of its name')
    .action(async (id: string, flags: ReplayFlags) => replay(id, flags, context))
  addHelp(
    command,
    [
      ['runner jobs replay 4711 --local', 'progress, logs, checkpoints and jobs that it adds are captured'],
      ['NODE_OPTIONS=--inspect-brk runner jobs replay 4711 --local', 'in a debugger'],
    ],
    ['ok', 'usage', 'redis', 'jobFailed', 'notFound'],
  )
}

async function replay(id: string, { queue, local, job }: ReplayFlags, context: CliContext): Promise<void> {
  if (local !== true)
    throw new RunnerError('USAGE', 'replay runs the job in this process: say --local', {
      hint: 'to have the fleet run it again: runner jobs retry',
    })
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  await using inspector = new Inspector(redis)
  const name = await inspector.queueOf(id, queue === undefined ? [] : [queue])
  const bull = inspector.queue(name)
  const stored = await inspector.client.hget(bull.toKey(id), 'name')
  const file = findHandler(config, job ?? stored ?? '')
  const broken = new AbortController()
  process.once('SIGINT', () => broken.abort())
  const captured: Captured[] = []
  const outcome = await run({
    config,
    file,
    files: jobFiles(config).files,
    queue: bull as never,
    id,
    fence: new Fence(inspector.client),
    onCaptured: one => {
      captured.push(one)
      context.note(`captured: ${one.method} ${one.args.map(arg => textOf(arg)).join(' ')}`.trimEnd())
    },
    onLine: (await openLog(config.logLevel)).writeLine,
    signal: broken.signal,
  })
  conclude(outcome, captured, context)
  // What user code left open in a library must not keep the command.
  setImmediate(() => endProcess(Number(process.exitCode ?? EXIT.ok) as 0, false))
}

function conclude(outcome: Outcome, captured: Captured[], context: CliContext): void {
  if (outcome.kind === 'done') {
    const result = outcome.result === undefined ? null : (JSON.parse(outcome.result) as unknown)
    context.print(`done: ${textOf(result)}`, { outcome: 'done', result, captured })
    return
  }
  process.exitCode = EXIT.jobFailed
  if (outcome.kind === 'failed') {
    const { kind, name, message, code, stack, delay } = outcome.failure
    const word = kind === 'error' ? 'failed' : kind
    const failure = { name, message, code, stack, delay }
    context.print(`${word}: ${stack ?? message}`, { outcome: word, failure, captured })
  } else context.print(`ended: ${outcome.reason}`, { outcome: 'ended', reason: outcome.reason, captured })
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
