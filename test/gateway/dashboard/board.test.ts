/** bull-board as it is mounted: what it hides, and what of it is let through. */
import { Queue } from 'bullmq'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Quarantine } from '../../../src/redis/quarantine.ts'
import { dashboardBench, TOKENS, type DashboardBench } from '../../helpers/dashboard.ts'

let b: DashboardBench
beforeAll(async () => void (b = await dashboardBench()))
afterAll(() => b[Symbol.asyncDispose]())

const board = async (
  path: string,
  init: { method?: string; body?: string } = {},
  as: 'local' | 'viewer' = 'local',
) => {
  const one = await b.open({ tokens: as === 'viewer' })
  if (as === 'viewer') await one.signIn(TOKENS.viewer.token)
  const answer = await one.request(`/queues${path}`, {
    ...init,
    headers: {
      accept: 'application/json',
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/json',
    },
  })
  const text = await answer.text()
  return { status: answer.status, text, acted: one.acted }
}

it('shows payloads with what is redacted hidden', async () => {
  const { status, text } = await board('/api/queues?activeQueue=mail&page=1')
  expect(status).toBe(200)
  const { queues } = JSON.parse(text) as {
    queues: { name: string; jobs: { data: unknown }[]; readOnlyMode: boolean }[]
  }
  const found = queues.find(({ name }) => name === 'mail')
  expect(found).toMatchObject({ readOnlyMode: false, jobs: [{ data: { to: 'ann', card: '[Redacted]' } }] })
  expect((await board('/api/queues/mail/1')).text).not.toContain('4111')
})

it('hides them in the templates of schedules too', async () => {
  await b.mail.upsertJobScheduler('daily', { every: 86_400_000 }, { name: 'send', data: { card: '4242' } })
  const { text } = await board('/api/job-schedulers')
  expect(text).toContain('"card":"[Redacted]"')
  expect(text).not.toContain('4242')
  await b.mail.removeJobScheduler('daily')
})

it('names no other host in its page', async () => {
  const { text } = await board('')
  expect(text).toContain('static/js/main')
  expect(text).not.toContain('https:')
})

it('changes nothing for who may only read', async () => {
  const body = JSON.stringify({ concurrency: 1, max: 1, duration: 1_000 })
  for (const path of [
    '/pause',
    '/concurrency',
    '/rate-limit',
    '/rate-limit/release',
    '/1/clean',
    '/1/promote',
  ])
    expect([
      path,
      (await board(`/api/queues/mail${path}`, { method: 'PUT', body }, 'viewer')).status,
    ]).toEqual([path, 405])
  expect(await b.mail.isPaused()).toBe(false)
  expect(await b.mail.getJob('1')).toBeDefined()
})

it('opens and closes a queue, and refuses what goes by the thousand, writes payloads or touches schedules', async () => {
  const paused = await board('/api/queues/mail/pause', { method: 'PUT' })
  expect(paused).toMatchObject({
    status: 200,
    acted: [{ by: 'local', what: 'PUT /queues/api/queues/mail/pause', ok: true }],
  })
  expect(await b.mail.isPaused()).toBe(true)
  await board('/api/queues/mail/resume', { method: 'PUT' })
  expect(await b.mail.isPaused()).toBe(false)
  const before = await b.mail.count()
  const refused: [string, string, RegExp][] = [
    ['PUT', '/api/queues/pause', /runner queues pause/],
    ['POST', '/api/queues/mail/add', /runner enqueue/],
    ['PATCH', '/api/queues/mail/1/update-data', /runner enqueue/],
    ['PUT', '/api/queues/mail/empty', /runner queues drain/],
    ['PUT', '/api/queues/mail/obliterate', /runner queues drain/],
    ['PUT', '/api/queues/mail/clean/failed', /runner queues drain/],
    ['PUT', '/api/queues/mail/retry/failed', /runner jobs retry/],
    ['PUT', '/api/queues/mail/promote', /runner jobs promote/],
    ['PUT', '/api/queues/mail/job-schedulers/daily/remove', /runner schedules apply/],
    ['PUT', '/api/queues/mail/1/remove-unprocessed-children', /not from here/],
  ]
  for (const [method, path, instead] of refused) {
    const { status, text } = await board(path, { method, body: '{}' })
    expect([path, status]).toEqual([path, 403])
    expect(text).toMatch(instead)
  }
  expect(await b.mail.count()).toBe(before)
})

it('does not retry a job of the quarantine, and removes others as runner jobs remove does', async () => {
  const client = b.redis.client()
  const failing = new Queue('failing', { connection: client })
  const { id = '' } = await failing.add('boom', {})
  await client.lrem('bull:failing:wait', 0, id)
  await client.zadd('bull:failing:failed', Date.now(), id)
  const quarantine = new Quarantine(client, 'bull')
  await quarantine.put({
    queue: 'failing',
    id,
    job: 'boom',
    cause: 'exit',
    reason: 'x',
    peakRss: 0,
    crashes: 3,
    at: 0,
  })
  const retried = await board(`/api/queues/failing/${id}/retry`, { method: 'PUT' })
  expect(retried.status).toBe(500)
  expect(retried.text).toContain('it is in quarantine')
  expect(await failing.getJobState(id)).toBe('failed')
  expect((await board(`/api/queues/failing/${id}/clean`, { method: 'PUT' })).status).toBe(204)
  expect(await failing.getJob(id)).toBeUndefined()
  expect(await quarantine.list()).toEqual([])
})
