/** What a page of ours has posted. */
import type { Context } from 'hono'
import { Problem } from '../problem.ts'
import type { Sessions } from './session.ts'

/** Throws Problem 403 for a form that no page of this session has. */
export async function formOf(c: Context, sessions: Sessions): Promise<Record<string, unknown>> {
  const form = await c.req.parseBody()
  const cookie = c.get('session')?.cookie ?? ''
  if (typeof form['token'] === 'string' && sessions.isFormToken(cookie, form['token'])) return form
  throw new Problem(403, 'FORM_REFUSED', 'this form is of an older page', { hint: 'load the page again' })
}
