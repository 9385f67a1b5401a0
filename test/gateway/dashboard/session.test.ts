/** Who a browser belongs to: cookies that are made, kept, forged and outlived. */
import { describe, expect, it } from 'vitest'
import { SESSION_LASTS, Sessions } from '../../../src/gateway/dashboard/session.ts'
import { newToken } from '../../../src/gateway/tokens.ts'

const OPS = newToken()
const VIEWER = newToken()
const TOKENS = [
  { name: 'ops', hash: OPS.hash, scopes: ['read' as const, 'operate' as const] },
  { name: 'viewer', hash: VIEWER.hash, scopes: ['read' as const] },
]
const cookieOf = (sessions: Sessions, token: string): string => {
  const cookie = sessions.open(token)
  if (cookie === undefined) throw new Error('not let in')
  return cookie
}

describe('a session', () => {
  it('is that of the token it was opened with, and holds no part of it', () => {
    const sessions = new Sessions(TOKENS)
    const cookie = cookieOf(sessions, OPS.token)
    expect(sessions.read(cookie)).toMatchObject({
      caller: { name: 'ops', scopes: new Set(['read', 'operate']) },
    })
    expect(sessions.read(cookieOf(sessions, VIEWER.token))?.caller.scopes).toEqual(new Set(['read']))
    expect(cookie).not.toContain(OPS.token.slice(4, 12))
    expect(cookieOf(sessions, OPS.token)).not.toBe(cookie)
  })

  it('is not opened by what is no token', () => {
    const sessions = new Sessions(TOKENS)
    for (const token of ['', 'x', OPS.hash, `${OPS.token} `, OPS.token.slice(0, -1)])
      expect(sessions.open(token)).toBeUndefined()
  })

  it('ends after twelve hours, whatever the browser thinks', () => {
    const sessions = new Sessions(TOKENS)
    const cookie = cookieOf(sessions, OPS.token)
    const now = Date.now()
    expect(SESSION_LASTS).toBe(12 * 3_600_000)
    expect(sessions.read(cookie, now + SESSION_LASTS - 60_000)).toBeDefined()
    expect(sessions.read(cookie, now + SESSION_LASTS + 1)).toBeUndefined()
  })

  it('is not read once a single sign of it is another', () => {
    const sessions = new Sessions(TOKENS)
    const cookie = cookieOf(sessions, VIEWER.token)
    for (const i of cookie.split('').keys()) {
      const other = cookie[i] === '1' ? '2' : '1'
      expect(sessions.read(cookie.slice(0, i) + other + cookie.slice(i + 1))).toBeUndefined()
    }
    for (const text of [undefined, '', '....', cookie.slice(0, -1), `${cookie}A`, cookie.repeat(2)])
      expect(sessions.read(text)).toBeUndefined()
  })

  it('ends when its token leaves the config', () => {
    const key = Buffer.alloc(32, 7)
    const before = new Sessions(TOKENS)
    before.share(key)
    const after = new Sessions(TOKENS.slice(1))
    after.share(key)
    expect(after.read(cookieOf(before, OPS.token))).toBeUndefined()
    expect(after.read(cookieOf(before, VIEWER.token))).toBeDefined()
  })

  it('counts in every process that has the same key, and in no other', () => {
    const [one, two, stranger] = [new Sessions(TOKENS), new Sessions(TOKENS), new Sessions(TOKENS)]
    const early = cookieOf(one, OPS.token)
    one.share(Buffer.alloc(32, 1))
    two.share(Buffer.alloc(32, 1))
    const cookie = cookieOf(one, OPS.token)
    expect(two.read(cookie)).toBeDefined()
    expect(stranger.read(cookie)).toBeUndefined()
    // From before Redis was there: where it was opened, it goes on.
    expect(one.read(early)).toBeDefined()
    expect(two.read(early)).toBeUndefined()
  })
})

it('a form counts in the session whose page had it, and nowhere else', () => {
  const sessions = new Sessions(TOKENS)
  const [mine, other] = [cookieOf(sessions, OPS.token), cookieOf(sessions, OPS.token)]
  const token = sessions.formToken(mine)
  expect(sessions.isFormToken(mine, token)).toBe(true)
  expect(sessions.isFormToken(other, token)).toBe(false)
  expect(sessions.isFormToken('', token)).toBe(false)
  expect(sessions.isFormToken(mine, '')).toBe(false)
  expect(new Sessions(TOKENS).isFormToken(mine, token)).toBe(false)
})
