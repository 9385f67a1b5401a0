/** Who watches: what is kept of a look that is over, and of a viewer who has gone. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Hono } from 'hono'
import { expect, it } from 'vitest'
import { LOCAL } from '../../../src/gateway/caller.ts'
import { Feed } from '../../../src/gateway/dashboard/feed.ts'
import { Renderings } from '../../../src/gateway/dashboard/fragments.ts'
import { liveRoute } from '../../../src/gateway/dashboard/live.ts'
import type { Look } from '../../../src/gateway/dashboard/panel.ts'
import { problemResponse } from '../../../src/gateway/problem.ts'

function watched() {
  const looks: WeakRef<Look>[] = []
  const stop = new AbortController()
  const feed = new Feed<Look>(async () => {
    const look: Look = { at: looks.length * 1_000, fleet: {}, runs: {}, uploads: [] }
    looks.push(new WeakRef(look))
    return look
  }, 5)
  const app = new Hono().onError(error => problemResponse(error))
  app.use(async (c, next) => {
    c.set('caller', LOCAL)
    await next()
  })
  app.get('/live', liveRoute({ feed, renderings: new Renderings([]), signal: stop.signal }))
  return { app, looks, stop }
}

it('keeps no look that is over, however long somebody watches', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { app, looks, stop } = watched()
  const answer = await app.request('/live')
  expect(answer.headers.get('x-accel-buffering')).toBe('no')
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
  while (looks.length < 40) await reader.read()
  const alive = () => {
    collect()
    return looks.slice(0, 30).filter(look => look.deref() !== undefined).length
  }
  await expect.poll(alive).toBe(0)
  stop.abort()
  while (!(await reader.read()).done);
})

it('counts who has gone no longer, also who was never sent anything', async () => {
  const { app, stop } = watched()
  const open = async () => app.request('/live')
  const all = await Promise.all(Array.from({ length: 200 }, open))
  expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 200 }, () => 200))
  expect((await open()).status).toBe(503)
  await all[0]?.body?.cancel()
  await all[1]?.body?.cancel()
  await expect.poll(async () => (await open()).status).toBe(200)
  stop.abort()
})
