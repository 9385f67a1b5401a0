/** `--data`: JSON on the command line, `@file`, or `-` for stdin. A file or stdin may hold one document or NDJSON. */
import { createReadStream, existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { RunnerError } from '../../errors.ts'
import { MAX_PAYLOAD } from '../../job/args.ts'
import { isJson, jsonFault } from '../../job/problem.ts'
import { readLines, type Line } from './lines.ts'

export type PayloadInput = { one: unknown } | { many: AsyncIterable<Line> }

/** Throws USAGE when there is no JSON in it; with fields to `redact`, the message shows nothing of it. */
export async function readPayload(
  data: string,
  redact: readonly string[] = [],
  stdin: Readable = process.stdin,
): Promise<PayloadInput> {
  if (data === '-') return fromStream(stdin, 'stdin', redact)
  if (data.startsWith('@')) return fromStream(openFile(data.slice(1)), data.slice(1), redact)
  const hint = existsSync(data) ? `to read that file: --data @${data}` : undefined
  return { one: parseJson(data, '--data', redact, hint) }
}

export function openFile(file: string, flag = '--data'): Readable {
  if (!existsSync(file)) throw new RunnerError('USAGE', `${flag}: file ${file} does not exist`)
  return createReadStream(file)
}

/**
 * One document may be spread over many lines, so the first lines have to tell: NDJSON is when the first is JSON by
 * itself and is not the last, or when there is more than one payload may be. What looks like neither is NDJSON
 * with bad lines as long as any line is JSON.
 */
async function fromStream(stream: Readable, name: string, redact: readonly string[]): Promise<PayloadInput> {
  const lines = readLines(stream, MAX_PAYLOAD)
  const head: Line[] = []
  let size = 0
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    head.push(next.value)
    size += next.value.text.length
    const isMany = head.length > 1 && (isJson(head[0]!.text) || size > MAX_PAYLOAD)
    if (isMany) return { many: join(head, lines) }
  }
  const text = head.map(line => line.text).join('\n')
  if (head.length > 1 && !isJson(text) && head.some(line => isJson(line.text)))
    return { many: join(head, lines) }
  if (head[0]?.cut === true)
    throw new RunnerError('USAGE', `--data: ${name} is longer than a payload may be (${MAX_PAYLOAD} bytes)`)
  return { one: parseJson(text, `--data: ${name}`, redact) }
}

async function* join(head: readonly Line[], rest: AsyncIterable<Line>): AsyncGenerator<Line> {
  yield* head
  yield* rest
}

export function parseJson(text: string, from: string, redact: readonly string[], hint?: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const what = text.trim() === '' ? 'it is empty' : jsonFault(text, error, redact)
    throw new RunnerError('USAGE', `${from} is not JSON: ${what}`, hint === undefined ? {} : { hint })
  }
}
