/**
 * Who asks, and what they may. Decided by headers alone, before a byte of the body is read.
 *
 * With tokens in the config: whoever sends one of them. Without any, and on this host only: everybody, as `local`; a
 * browser on this host is not everybody, since any page that it shows could then add jobs. So requests of other origins,
 * and those for another name than this host's (DNS rebinding), are refused.
 */
import type { Context, MiddlewareHandler } from 'hono'
import type { SCOPES } from '../options/gateway-options.ts'
import { isLoopback } from '../http-address.ts'
import { Problem } from './problem.ts'
import type { Tokens } from './tokens.ts'

export type Scope = (typeof SCOPES)[number]

export interface Caller {
  /** Of the token, or `local`: for logs and the audit. */
  name: string
  /** None implies another. */
  scopes: ReadonlySet<Scope>
  /** Uploads at once. Absent: as for everybody. */
  uploads?: number
  /** Bytes on their way at once. Absent: no limit. */
  uploadBytes?: number
}

/** Without tokens, on this host: there is nobody else to leave a place to. */
export const LOCAL: Caller = {
  name: 'local',
  scopes: new Set(['enqueue', 'read', 'operate']),
  uploads: Infinity,
}

declare module 'hono' {
  interface ContextVariableMap {
    caller?: Caller
  }
}

/** Throws Problem 401 or 403, unless it knows who asks: `callerOf` says who. */
export function authenticate(tokens: Tokens): MiddlewareHandler {
  return async (c, next) => {
    c.set('caller', tokens.size === 0 ? localCaller(c.req.raw) : bearer(c.req.raw, tokens))
    await next()
  }
}

/** Who asks. */
export function callerOf(c: Context): Caller {
  const caller = c.get('caller')
  if (caller === undefined) throw new Error('nobody has looked who asks')
  return caller
}

/** Throws Problem 403 with the scope that is missing. */
export function requireScope(scope: Scope): MiddlewareHandler {
  return async (c, next) => {
    const { name, scopes } = callerOf(c)
    if (!scopes.has(scope))
      throw new Problem(403, 'SCOPE_MISSING', `token ${name} does not have the scope ${scope}`, {
        hint: `it has ${[...scopes].join(', ')}; scopes are in the config file, and none implies another`,
      })
    await next()
  }
}

function bearer({ headers }: Request, tokens: Tokens): Caller {
  const given = headers.get('authorization')
  if (given === null) throw unauthorized('a token is needed', 'Bearer')
  const [, token] = /^Bearer +([\w.~+/-]+=*)$/i.exec(given) ?? []
  const caller = token === undefined ? undefined : tokens.find(token)
  if (caller === undefined) throw unauthorized('this token is not known', 'Bearer error="invalid_token"')
  return caller
}

function unauthorized(detail: string, challenge: string): Problem {
  return new Problem(401, 'TOKEN_INVALID', detail, {
    hint: 'send Authorization: Bearer <token>; runner new token makes one',
    headers: { 'www-authenticate': challenge },
  })
}

/** What comes from a program on this host, or from a page that this process itself has served. */
export function localCaller({ headers, url }: Pick<Request, 'headers' | 'url'>): Caller {
  const host = headers.get('host') ?? new URL(url).host
  const origin = headers.get('origin')
  const site = headers.get('sec-fetch-site')
  const isOwn =
    (origin === null || origin === `http://${host}`) && (site === null || /^(same-origin|none)$/.test(site))
  if (isOwn && isThisHost(host)) return LOCAL
  throw new Problem(403, 'ORIGIN_REFUSED', 'without tokens, only programs on this host are answered', {
    hint: 'a page of another origin, or a proxy in front, needs a token: runner new token',
  })
}

/** Whether a Host header names this host as only this host can; any other name may have been made to mean it. */
export function isThisHost(host: string): boolean {
  return isLoopback(host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'))
}
