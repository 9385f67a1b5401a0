/** `runner doctor`: what is set up against what was measured, with the fix beside it. */
import type { Command } from 'commander'
import { queueFacts } from '../doctor/facts.ts'
import type { Finding } from '../doctor/finding.ts'
import { stallFindings } from '../doctor/stall-settings.ts'
import { EXIT } from '../errors.ts'
import { openRedis } from '../redis/connection.ts'
import { textTable } from '../table.ts'
import { addHelp } from './help.ts'
import type { CliContext } from './verbs.ts'

const COLUMNS = ['', 'CHECK', 'QUEUE', 'EXPECTED', 'ACTUAL', 'FIX']

export function define(command: Command, context: CliContext): void {
  command
    .argument('[queue]', 'default: all queues')
    .action(async (queue: string | undefined) => examine(queue, context))
  addHelp(
    command,
    [
      ['runner doctor', 'lock, stall, grace and block settings of every queue, against what was measured'],
      ['runner doctor images --json'],
    ],
    ['ok', 'runtime', 'usage', 'redis'],
  )
}

async function examine(queue: string | undefined, context: CliContext): Promise<void> {
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  const findings = (await queueFacts(redis, config, queue)).flatMap(stallFindings)
  context.print(textOf(findings, queue), findings)
  if (findings.some(({ level }) => level === 'error')) process.exitCode = EXIT.runtime
}

function textOf(findings: readonly Finding[], queue: string | undefined): string {
  if (findings.length === 0)
    return `${queue === undefined ? 'no queue' : `queue ${queue}`} was measured yet, and no replica is live`
  const rows = findings.map(({ level, check, queue: of, expected, actual, fix }) => [
    level,
    check,
    of,
    expected,
    actual,
    fix ?? '',
  ])
  return textTable([COLUMNS, ...rows])
}
