/** How a command that failed says so: on stderr, for people or as JSON, with the exit code of the error. */
import { styleText } from 'node:util'
import { CommanderError } from 'commander'
import { EXIT, RunnerError, messageOf, type ExitCode } from '../errors.ts'
import { asForbidden } from '../redis/rights.ts'
import { wantsJson } from './output.ts'

/** Prints `error` and returns the exit code. `args` say whether JSON was asked for, even when they do not parse. */
export function reportFailure(error: unknown, args: readonly string[]): ExitCode {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok
  // Help was printed in place of a command that was not named.
  if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage
  const failure = error instanceof CommanderError ? asUsage(error) : (asForbidden(error) ?? error)
  process.stderr.write(`${wantsJson(args) ? asJson(failure) : asText(failure)}\n`)
  return failure instanceof RunnerError ? failure.exitCode : EXIT.runtime
}

/** "error: unknown option '--x'\n(Did you mean --y?)" in our own form. */
function asUsage(error: CommanderError): RunnerError {
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  const hint = suggestion?.replace(/^\(Did/, 'did').replace(/\)$/, '')
  return new RunnerError('USAGE', message, hint === undefined ? {} : { hint })
}

function asText(error: unknown): string {
  const style = (format: 'red' | 'cyan', text: string) => styleText(format, text, { stream: process.stderr })
  const lines = [`${style('red', 'error:')} ${messageOf(error)}`]
  if (!(error instanceof RunnerError)) {
    // Not one of ours, so a bug or an outage: the stack is what helps.
    if (error instanceof Error && error.stack !== undefined) lines.push(withoutMessage(error.stack))
  } else if (error.hint !== undefined) lines.push(`${style('cyan', 'hint:')} ${error.hint}`)
  return lines.join('\n')
}

const withoutMessage = (stack: string): string =>
  stack
    .split('\n')
    .filter(line => line.startsWith('    at '))
    .join('\n')

function asJson(error: unknown): string {
  const { code, hint, details } =
    error instanceof RunnerError
      ? error
      : { code: 'INTERNAL', hint: undefined, details: error instanceof Error ? error.stack : undefined }
  return JSON.stringify({
    error: { code, message: messageOf(error), hint: hint ?? null, details: details ?? null },
  })
}
