/** How `runner serve` stops: what runs is waited for, and cut when the grace is over. */
import { once } from 'node:events'
import { Hono } from 'hono'
import { expect, it } from 'vitest'
import { Drain } from '../../src/gateway/drain.ts'
import { problemResponse } from '../../src/gateway/problem.ts'

function appOf() {
  const drain = new Drain()
  const begun = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const app = new Hono()
    .use(drain.middleware)
    .get('/gate', async c => {
      begun.resolve()
      await gate.promise
      return c.text('done')
    })
    .get('/upload', async () => {
      begun.resolve()
      await once(drain.ending, 'abort')
      throw drain.ending.reason as Error
    })
  app.onError(error => problemResponse(error))
  return { drain, begun: begun.promise, open: gate.resolve, app }
}

it('waits for what runs, and turns away what comes meanwhile', async () => {
  const { drain, begun, open, app } = appOf()
  const running = app.request('/gate')
  await begun
  const stopped = drain.stop(60_000)
  expect(drain.stopping.aborted).toBe(true)
  const late = await app.request('/gate')
  expect([late.status, late.headers.get('retry-after'), late.headers.get('connection')]).toEqual([
    503,
    '1',
    'close',
  ])
  open()
  expect(await (await running).text()).toBe('done')
  expect(await stopped).toBe(0)
})

it('cuts what is not done when the grace is over, and waits until it has taken back what it had begun', async () => {
  const { drain, begun, app } = appOf()
  const running = app.request('/upload')
  await begun
  expect(await drain.stop(20)).toBe(1)
  const { status, headers } = await running
  expect([status, headers.get('retry-after')]).toEqual([503, '1'])
  expect(drain.running).toBe(0)
})

it('ends at once when nothing runs', async () => {
  expect(await new Drain().stop(60_000)).toBe(0)
})
