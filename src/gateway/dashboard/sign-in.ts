/** `/login` and `/logout`: a token of the config becomes a cookie, which no script can read and no other site can send. */
import { Hono } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import { formOf } from './form.ts'
import { PLAIN_COOKIE, SECURE_COOKIE } from './guard.ts'
import { loginPage } from './page.ts'
import { SESSION_LASTS, type Session, type Sessions } from './session.ts'

export function signInRoutes(sessions: Sessions): Hono {
  const app = new Hono()
  app.get('/login', c => c.html(loginPage({ formToken: sessions.formToken('') })))
  app.post('/login', async c => {
    const { secret } = await formOf(c, sessions)
    const cookie = typeof secret === 'string' ? sessions.open(secret.trim()) : undefined
    const session = sessions.read(cookie)
    const refused = whyNot(session)
    if (session === undefined || refused !== undefined) {
      const status = session === undefined ? 401 : 403
      return c.html(loginPage({ formToken: sessions.formToken(''), refused }), status)
    }
    // What the browser itself says: TLS may end in front of this process.
    const isSecure = c.req.header('origin')?.startsWith('https:') === true
    setCookie(c, isSecure ? SECURE_COOKIE : PLAIN_COOKIE, session.cookie, {
      httpOnly: true,
      sameSite: 'Strict',
      secure: isSecure,
      path: '/',
      maxAge: SESSION_LASTS / 1_000,
    })
    return c.redirect('/', 303)
  })
  app.post('/logout', async c => {
    await formOf(c, sessions)
    deleteCookie(c, PLAIN_COOKIE, { path: '/' })
    deleteCookie(c, SECURE_COOKIE, { path: '/', secure: true })
    return c.redirect('/login', 303)
  })
  return app
}

function whyNot(session: Session | undefined): string | undefined {
  if (session === undefined) return 'This token is not known.'
  const { name, scopes } = session.caller
  return scopes.has('read') ? undefined : `Token ${name} does not have the scope read.`
}
