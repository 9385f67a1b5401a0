/** `--flow`: JSON on the command line, `@file`, or `-` for stdin. */
import { existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { RunnerError } from '../../errors.ts'
import { openFile, parseJson } from './payload-input.ts'

/** Characters. Its payloads are bounded too; this is for what is no flow at all. */
const LONGEST = 32 * 1024 * 1024

/** Throws USAGE when there is no JSON in it; with fields to `redact`, the message shows nothing of it. */
export async function readFlowInput(
  given: string,
  redact: readonly string[] = [],
  stdin: Readable = process.stdin,
): Promise<unknown> {
  if (given === '-') return parseJson(await textOf(stdin, 'stdin'), '--flow: stdin', redact)
  if (given.startsWith('@')) {
    const file = given.slice(1)
    return parseJson(await textOf(openFile(file, '--flow'), file), `--flow: ${file}`, redact)
  }
  const hint = existsSync(given) ? `to read that file: --flow @${given}` : undefined
  return parseJson(given, '--flow', redact, hint)
}

async function textOf(stream: Readable, name: string): Promise<string> {
  let text = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream as AsyncIterable<string>) {
    text += chunk
    if (text.length > LONGEST)
      throw new RunnerError('USAGE', `--flow: ${name} is longer than a flow may be (${LONGEST} characters)`)
  }
  return text.replace(/^\uFEFF/, '')
}
