/**
 * What keeps others out of a browser that is signed in: no page of another origin may post, frame or read; and where
 * nobody signs in, no other name may stand for this host.
 */
import type { Context, MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'
import { secureHeaders } from 'hono/secure-headers'
import { isThisHost, LOCAL } from '../caller.ts'
import { Problem } from '../problem.ts'
import type { Session, Sessions } from './session.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** Absent where nobody signs in. */
    session?: Session
  }
}

/** Bound to this host and to TLS by its name, which browsers hold. */
export const SECURE_COOKIE = '__Host-runner-session'
export const PLAIN_COOKIE = 'runner-session'

/** `styles`: bull-board makes styles while it runs; nothing of ours does. Scripts are files of this origin, always. */
export function securityHeaders(styles: "'unsafe-inline'" | undefined): MiddlewareHandler {
  const set = secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", ...(styles === undefined ? [] : [styles])],
      imgSrc: ["'self'", 'data:'],
      fontSrc: ["'self'"],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: styles === undefined ? ["'none'"] : ["'self'"],
      frameAncestors: ["'none'"],
    },
    // With no-referrer a form of ours would be posted with Origin: null.
    referrerPolicy: 'same-origin',
    xFrameOptions: 'DENY',
    // Whether there is TLS, and for how long, is said by what ends it.
    strictTransportSecurity: false,
  })
  return async (c, next) => {
    await set(c, next)
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store')
  }
}

/**
 * Throws Problem 403 for whatever would change something and was not sent by a page of ours. Browsers say it by
 * Sec-Fetch-Site, where there is TLS or the host is this one, and by Origin everywhere; what says neither is no browser,
 * and has the API.
 */
export const onlyOwnPages: MiddlewareHandler = async (c, next) => {
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD' && !isOwnPage(c))
    throw new Problem(403, 'ORIGIN_REFUSED', 'only the pages of this dashboard may do that', {
      hint: 'a proxy in front has to pass the header Host on as it is; programs use /v1',
    })
  await next()
}

function isOwnPage(c: Context): boolean {
  const site = c.req.header('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin'
  const origin = c.req.header('origin')
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === hostOf(c)
}

/** Throws Problem: 401 for who is not signed in, 403 for who may not look, and for another name of this host. */
export function whoLooks(sessions: Sessions, hasTokens: boolean): MiddlewareHandler {
  return async (c, next) => {
    if (hasTokens) {
      const session = sessions.read(getCookie(c, SECURE_COOKIE) ?? getCookie(c, PLAIN_COOKIE))
      if (session === undefined)
        throw new Problem(401, 'TOKEN_INVALID', 'nobody is signed in', { hint: 'sign in at /login' })
      c.set('session', session)
      c.set('caller', session.caller)
    } else {
      onlyThisHost(c)
      c.set('caller', LOCAL)
    }
    await next()
  }
}

/** A name that was made to mean this host (DNS rebinding) is another origin's. */
function onlyThisHost(c: Context): void {
  if (isThisHost(hostOf(c))) return
  throw new Problem(403, 'ORIGIN_REFUSED', 'without tokens, only this host is answered, by its own name', {
    hint: 'a proxy in front needs tokens: runner new token',
  })
}

function hostOf(c: Context): string {
  return c.req.header('host') ?? new URL(c.req.url).host
}
