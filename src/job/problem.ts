/** What a schema refuses, in words: which field, the value it got, the rule. One entry for each field. */
import type { z } from 'zod'
import { messageOf } from '../errors.ts'
import { Redaction } from './redaction.ts'

export interface Problem {
  /** 'address.city', 'tags[0]'; '' is the whole value. */
  path: string
  /** JSON, cut to 80 characters; 'nothing' for a field that is not there. */
  value: string
  rule: string
}

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** Where something is refused, and what may be shown of it. */
interface Refused {
  value: unknown
  redaction: Redaction
}

export function problemsOf(
  issues: readonly Issue[],
  value: unknown,
  redaction: Redaction = new Redaction([]),
): Problem[] {
  return issues.flatMap(issue => explain(issue, [], { value, redaction }))
}

function explain(issue: Issue, parents: Path, input: Refused): Problem[] {
  const path = [...parents, ...issue.path]
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => problem([...path, key], input, 'no such field is known'))
  if (issue.code === 'invalid_union') return explainUnion(issue, path, input)
  if (issue.code === 'invalid_key' || issue.code === 'invalid_element')
    return [problem(path, input, issue.issues.map(ruleOf).join('; '))]
  return [problem(path, input, ruleOf(issue))]
}

/** A union fails with the issues of each member: those of the one that fits the kind of value, or all as "a, or b". */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, path: Path, input: Refused): Problem[] {
  const fitting = issue.errors.filter(member => !member.some(isOfAnotherKind))
  const [only] = fitting.length === 1 ? fitting : []
  return only?.flatMap(one => explain(one, path, input)) ?? [problem(path, input, ruleOf(issue))]
}

/** The value is not even of the type this member takes. */
function isOfAnotherKind(issue: Issue): boolean {
  if (issue.path.length > 0) return false
  if (issue.code === 'invalid_union')
    return issue.errors.length > 0 && issue.errors.every(member => member.some(isOfAnotherKind))
  return issue.code === 'invalid_type'
}

function ruleOf(issue: Issue): string {
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const members = issue.errors.map(member => member.map(one => at(one.path) + ruleOf(one)).join(' and '))
    return [...new Set(members)].join(', or ')
  }
  const text = issue.message.replace(/^Invalid input: /, '')
  return issue.code === 'invalid_type' ? text.replace(/, received \w+$/, '') : text
}

const at = (path: Path): string => (path.length > 0 ? `${printPath(path)}: ` : '')

function problem(path: Path, { value: input, redaction }: Refused, rule: string): Problem {
  const value = valueAt(path, input)
  // Messages of our own units say the value themselves.
  const said = `, got ${shorten(value)}`
  return {
    path: printPath(path),
    value: shorten(redaction.apply(value, path)),
    rule: rule.endsWith(said) ? rule.slice(0, -said.length) : rule,
  }
}

export function printPath(path: Path): string {
  return path
    .map(key => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
}

function valueAt(path: Path, input: unknown): unknown {
  let value = input
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}

/** JSON of any value, at most `length` characters. */
export function shorten(value: unknown, length = 80): string {
  const text = value === undefined ? 'nothing' : print(value)
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`
}

function print(value: unknown): string {
  try {
    return JSON.stringify(value) ?? `a ${typeof value}`
  } catch {
    return String(value)
  }
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Why `text` is not JSON. V8 quotes it too, so with fields to redact nothing of either is said. */
export function jsonFault(text: string, error: unknown, redact: readonly string[]): string {
  if (redact.length > 0) return 'it is not shown, since it may hold a redacted field'
  return `${messageOf(error)}, got ${shorten(text)}`
}

/** '  to: got "nobody", Invalid email address', one line a problem. */
export function listProblems(problems: readonly Problem[]): string {
  return problems.map(({ path, value, rule }) => `  ${path || '(payload)'}: got ${value}, ${rule}`).join('\n')
}
