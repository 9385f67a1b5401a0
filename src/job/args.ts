/**
 * Checks a payload against its job's schema: at enqueue, so that nothing wrong gets into Redis, and again before
 * the run, where the value returned (defaults filled in, transforms applied) is what the handler gets.
 */
import { z } from 'zod'
import { ArgsError, messageOf } from '../errors.ts'
import type { Verdict } from './loader-messages.ts'
import { listProblems, printPath, problemsOf, shorten, type Problem } from './problem.ts'
import { Redaction } from './redaction.ts'

/** Largest payload that may be enqueued, in bytes of JSON: Redis holds every one of them in memory. */
export const MAX_PAYLOAD = 1024 * 1024

/** Keys by which a payload could reach the prototype of what a handler merges it into. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * The schema's output for `value`; without a schema, `value` itself.
 * Throws `ArgsError`, whose message lists each field with the value got and the rule, and whose details are
 * `{ path, value, rule }[]`. Async refinements are awaited. `redact` are the fields whose values no message shows.
 */
export async function checkArgs(
  name: string,
  schema: z.ZodType | undefined,
  value: unknown,
  redact: readonly string[] = [],
): Promise<unknown> {
  const path = forbiddenKey(value)
  if (path !== undefined)
    throw refused(name, [{ path, value: 'a key', rule: 'this key is refused in payloads' }])
  if (schema === undefined) return value
  const parsed = await parse(name, schema, value, redact)
  if (parsed.success) return parsed.data
  throw refused(name, problemsOf(parsed.error.issues, value, new Redaction(redact)))
}

/** As `checkArgs`, of a JSON text, and told instead of thrown. */
export async function verdictOf(
  name: string,
  schema: z.ZodType | undefined,
  json: string,
  redact: readonly string[] = [],
): Promise<Verdict> {
  try {
    await checkArgs(name, schema, JSON.parse(json), redact)
    return null
  } catch (error) {
    return error instanceof ArgsError
      ? { message: error.message, details: error.details }
      : { message: messageOf(error) }
  }
}

export interface PayloadJsonOptions {
  /** Default 1 MiB. */
  maxBytes?: number
  /** Fields whose values no message shows. */
  redact?: readonly string[]
}

/**
 * The JSON that is stored for `value`. Throws `ArgsError` for what is not JSON or larger than `maxBytes`.
 * What JSON drops silently (undefined fields, functions) is dropped here too.
 */
export function payloadJson(
  name: string,
  value: unknown,
  { maxBytes = MAX_PAYLOAD, redact = [] }: PayloadJsonOptions = {},
): string {
  let json: string | undefined
  try {
    json = JSON.stringify(value)
  } catch (error) {
    throw refused(name, [{ path: '', value: `a ${typeof value}`, rule: `not JSON: ${messageOf(error)}` }])
  }
  if (json === undefined) throw refused(name, [{ path: '', value: shorten(value), rule: 'not JSON' }])
  const bytes = Buffer.byteLength(json)
  if (bytes <= maxBytes) return json
  const rule = `${bytes} bytes of JSON, ${maxBytes} are allowed: store it elsewhere and enqueue its place`
  const beginning = new Redaction(redact).applyToText(json.slice(0, 100))
  throw refused(name, [{ path: '', value: shorten(beginning, 40), rule }])
}

async function parse(name: string, schema: z.ZodType, value: unknown, redact: readonly string[]) {
  try {
    return await z.safeParseAsync(schema, value)
  } catch (error) {
    // A refinement or transform of the schema that throws instead of reporting an issue.
    const rule = `its schema threw: ${messageOf(error)}`
    const shown = shorten(new Redaction(redact).apply(value))
    throw refused(name, [{ path: '', value: shown, rule }], error)
  }
}

function refused(name: string, problems: Problem[], cause?: unknown): ArgsError {
  return new ArgsError(`the payload of ${name} is refused\n${listProblems(problems)}`, {
    details: problems,
    ...(cause === undefined ? {} : { cause }),
  })
}

interface Node {
  key: PropertyKey
  value: object
  parent: Node | undefined
}

/** Path of the first forbidden key. Walks without recursion: a payload can be nested deeper than the stack. */
function forbiddenKey(payload: unknown): string | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined
  const nodes: Node[] = [{ key: '', value: payload, parent: undefined }]
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    const list = Array.isArray(node.value)
    for (const key of Object.keys(node.value)) {
      if (!list && FORBIDDEN.has(key)) return printPath([...keysTo(node), key])
      const value = (node.value as Record<string, unknown>)[key]
      if (typeof value === 'object' && value !== null)
        nodes.push({ key: list ? Number(key) : key, value, parent: node })
    }
  }
  return undefined
}

function keysTo(node: Node): PropertyKey[] {
  const keys: PropertyKey[] = []
  for (let at: Node | undefined = node; at?.parent !== undefined; at = at.parent) keys.unshift(at.key)
  return keys
}
