/** `runner serve` as a process: what it answers while Redis is there, away and back, and how it stops. */
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { Queue } from 'bullmq'
import { expect, it } from 'vitest'
import { freePort, startRedis } from '../helpers/redis.ts'
import { startRunner } from '../helpers/runner.ts'

it('answers before Redis does, never 0 while it is away, and ends at once when it is told to', async () => {
  const port = await freePort()
  const args = [
    'serve',
    '--redis',
    `redis://127.0.0.1:${port}`,
    '--http',
    '127.0.0.1:0',
    '--max-replicas',
    '40',
    '--job-time',
    '10s',
  ]
  const env = { RUNNER_CONCURRENCY: '5' }
  const { child, ended } = startRunner(args, { cwd: import.meta.dirname, env })
  const lines = createInterface({ input: child.stderr })
  const [line] = (await once(lines, 'line')) as [string]
  const { event, url } = JSON.parse(line) as { event: string; url: string }
  expect(event).toBe('http.listening')
  const ask = async (path: string) => {
    const answer = await fetch(url + path)
    return { status: answer.status, body: await answer.text() }
  }
  const scale = async () => {
    const { status, body } = await ask('/v1/queues/mail/scale')
    return { status, ...(JSON.parse(body) as { desiredReplicas?: number }) }
  }
  const unborn = await Promise.all([
    ask('/livez'),
    ask('/startupz'),
    ask('/readyz'),
    scale(),
    ask('/metrics'),
  ])
  expect(unborn).toMatchObject([
    { status: 200, body: 'alive\n' },
    { status: 200 },
    { status: 503 },
    { status: 503, code: 'REDIS_UNREACHABLE' },
    { status: 200 },
  ])
  expect(unborn[3]).not.toHaveProperty('desiredReplicas')
  const ownSeries = unborn[4].body.split('\n').filter(text => /^runner_(?!upload)/.test(text))
  expect(ownSeries).toEqual(['runner_metrics_last_success_timestamp_seconds 0'])
  await expect.poll(async () => (await ask('/readyz')).body).toContain('cannot be reached: ')

  await using redis = await startRedis({ port })
  const mail = new Queue('mail', { connection: redis.client() })
  await mail.addBulk(Array.from({ length: 130 }, () => ({ name: 'a', data: {} })))
  await expect.poll(async () => (await ask('/readyz')).status).toBe(200)
  expect(await scale()).toMatchObject({
    status: 200,
    desiredReplicas: 5,
    waiting: 130,
    concurrency: 5,
    replicas: 0,
  })
  expect(await ask('/v1/queues/mali/scale')).toMatchObject({ status: 404 })
  expect(await ask('/readyz')).toMatchObject({ status: 200, body: 'ready\n' })
  const { body: metrics } = await ask('/metrics')
  expect(metrics).toContain('\nrunner_queue_desired_replicas{queue="mail"} 5\n')
  expect(metrics).toContain('\nrunner_queue_jobs{queue="mail",state="waiting"} 130\n')
  expect(metrics).toContain('\nrunner_queue_max_replicas{queue="mail"} 40\n')

  redis.freeze()
  const away = await Promise.all([scale(), ask('/readyz'), ask('/livez')])
  expect(away).toMatchObject([{ status: 503, code: 'REDIS_UNREACHABLE' }, { status: 503 }, { status: 200 }])
  expect(away[0]).not.toHaveProperty('desiredReplicas')
  expect((await ask('/metrics')).body).not.toContain('queue=')
  redis.thaw()
  await expect.poll(async () => (await scale()).status).toBe(200)

  const told = performance.now()
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 0, signal: null, stdout: '' })
  expect(performance.now() - told).toBeLessThan(5_000)
  await mail.close()
})

it('ends with what no waiting mends: limits that contradict each other', async () => {
  const args = ['serve', '--redis', 'redis://127.0.0.1:1', '--min-replicas', '5', '--max-replicas', '4']
  const { code, stderr } = await startRunner(args, { cwd: import.meta.dirname }).ended
  expect(code).toBe(2)
  expect(stderr).toContain('of all queues: minReplicas 5 is more than maxReplicas 4')
})
