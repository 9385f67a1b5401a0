/**
 * Errors as HTTP tells them: RFC 9457, `application/problem+json`. `code` is what a program looks at: one of src/errors.ts,
 * or one of HTTP alone, which docs/api.md lists. What was not raised on purpose is a bug or an outage: its message goes to
 * the log, under the id of the request, and not to the client.
 */
import { STATUS_CODES } from 'node:http'
import { RunnerError, type ErrorCode } from '../errors.ts'

/** What is wrong with one field of a payload. */
export interface FieldProblem {
  path: string
  value: string
  rule: string
}

export interface ProblemExtras {
  /** What to do about it, one line. */
  hint?: string | undefined
  /** Seconds until another try makes sense. */
  retryAfter?: number
  /** The connection cannot be used again: what is left of the request is not read. */
  close?: boolean
  /** One entry a field. */
  errors?: readonly FieldProblem[] | undefined
  headers?: Readonly<Record<string, string>>
  cause?: unknown
}

export class Problem extends Error {
  override name = 'Problem'
  readonly status: number
  readonly code: string
  readonly hint?: string
  readonly retryAfter?: number
  readonly close?: boolean
  readonly errors?: readonly FieldProblem[]
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: string, detail: string, extras: ProblemExtras = {}) {
    super(detail, 'cause' in extras ? { cause: extras.cause } : undefined)
    this.status = status
    this.code = code
    const { hint, retryAfter, close, errors, headers = {} } = extras
    if (hint !== undefined) this.hint = hint
    if (retryAfter !== undefined) this.retryAfter = retryAfter
    if (close !== undefined) this.close = close
    if (errors !== undefined) this.errors = errors
    this.headers = headers
  }

  /** One sentence for people. */
  get detail(): string {
    return this.message
  }
}

/** Of codes that a request can meet; what is not here is no fault of the request: 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  ARGS_INVALID: 422,
  FILE_REFUSED: 422,
  JOB_UNKNOWN: 404,
  JOB_NOT_FOUND: 404,
  QUEUE_UNKNOWN: 404,
  MIGRATION_UNKNOWN: 404,
  FILE_MISSING: 404,
  JOB_STATE_WRONG: 409,
  STORE_FAILED: 503,
  REDIS_UNREACHABLE: 503,
  REDIS_UNSUITABLE: 503,
  REDIS_FORBIDDEN: 503,
  DATABASE_UNREACHABLE: 503,
  NO_REPLICA_ANSWERED: 504,
  WAIT_TIMEOUT: 504,
}

/** Seconds. */
const OUTAGE_RETRY = 5

/** Any error as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (!(error instanceof RunnerError))
    return new Problem(500, 'INTERNAL', 'this is a fault of the server: its log says more, under the id', {
      cause: error,
    })
  const { code, message, hint, details } = error
  const status = STATUS[code] ?? 500
  return new Problem(status, code, message.split('\n')[0]?.trim() ?? message, {
    hint,
    ...(status === 503 && { retryAfter: OUTAGE_RETRY }),
    ...(code === 'ARGS_INVALID' && { errors: fieldProblems(details) }),
    cause: error,
  })
}

/** `instance`: the id of the request, which the log has too. */
export function problemResponse(error: unknown, instance?: string): Response {
  const { status, code, detail, hint, errors, retryAfter, close, headers } = asProblem(error)
  const body = {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Unknown',
    status,
    detail,
    code,
    ...(hint !== undefined && { hint }),
    ...(errors !== undefined && { errors }),
    ...(instance !== undefined && { instance }),
  }
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      ...headers,
      'content-type': 'application/problem+json',
      ...(retryAfter !== undefined && { 'retry-after': String(Math.ceil(retryAfter)) }),
      ...(close === true && { connection: 'close' }),
    },
  })
}

function fieldProblems(details: unknown): FieldProblem[] | undefined {
  return Array.isArray(details) ? (details as FieldProblem[]) : undefined
}
