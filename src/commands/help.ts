/** The end of every verb's help: examples to copy, and what its exit codes mean. */
import type { Command } from 'commander'
import { EXIT } from '../errors.ts'

/** Of every exit code; docs/exit-codes.md repeats it. */
export const MEANINGS: Record<keyof typeof EXIT, string> = {
  ok: 'done',
  runtime: 'runtime error',
  usage: 'wrong usage, configuration or payload, or a job file does not load',
  partial: 'partly done',
  redis: 'Redis is unreachable or unsuitable',
  jobFailed: 'the job failed',
  notFound: 'not found',
  waitTimeout: 'timed out waiting; the job goes on',
  recycled: 'recycled for memory',
  noReplica: 'no replica answered',
  handedBack: 'deadline hit, what ran was handed back or cut',
  forced: 'forced to end',
}

/** `examples`: command lines without the prompt, each with an optional remark. */
export function addHelp(
  command: Command,
  examples: readonly (readonly [line: string, remark?: string])[],
  exits: readonly (keyof typeof EXIT)[],
): void {
  const width = Math.max(...examples.map(([line]) => line.length))
  const shown = examples.map(([line, remark]) =>
    `  $ ${remark === undefined ? line : `${line.padEnd(width)}  # ${remark}`}`.trimEnd(),
  )
  const codes = exits.map(name => `  ${String(EXIT[name]).padStart(3)}  ${MEANINGS[name]}`)
  command.addHelpText('after', ['', 'Examples:', ...shown, '', 'Exit codes:', ...codes].join('\n'))
}
