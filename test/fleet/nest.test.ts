/** A replica with `--nest`. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Queue, QueueEvents } from 'bullmq'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { nestLog } from '../../src/fleet/inside/nest-log.ts'
import { fateOf } from '../helpers/fleet.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { runner } from '../helpers/runner.ts'

const APP = fileURLToPath(new URL('../fixtures/nest-app/', import.meta.url))

let redis: TestRedis
let dir: string
beforeAll(async () => {
  redis = await startRedis()
  dir = mkdtempSync(join(tmpdir(), 'nest-replica-'))
})
afterAll(async () => {
  await redis.stop()
  rmSync(dir, { recursive: true })
})

it('runs handlers beside job files, one application for each executor, and ends it in good order', async () => {
  const journal = join(dir, 'hooks')
  const told = () => (existsSync(journal) ? readFileSync(journal, 'utf8').trim().split('\n').sort() : [])
  await using replica = await Replica.start({
    redis,
    args: ['--nest', join(APP, 'app.module.js'), '--executors', '2'],
    env: { NEST_APP_LOG: journal },
  })
  expect(replica.lines.find(({ event }) => event === 'fleet.started')).toMatchObject({
    queues: { audits: 10, default: 10, mail: 10 },
  })
  await using queue = new Queue('mail', { connection: { port: redis.port } })
  await using events = new QueueEvents('mail', { connection: { port: redis.port } })
  await events.waitUntilReady()
  const job = await queue.add('send-email', { to: 'ada@example.com' })
  expect(await job.waitUntilFinished(events)).toEqual({ sent: 'plain to ada@example.com', attempt: 1 })
  expect(await queue.getJobLogs(job.id as string)).toMatchObject({ logs: ['INFO sending'] })

  const strange = await queue.add('send-mail', {})
  await expect(strange.waitUntilFinished(events)).rejects.toThrow(
    /no replica on queue mail has a handler named send-mail; known here: .*audit.*send-email/,
  )
  const refused = await queue.add('send-email', { to: 'ada' })
  await expect(refused.waitUntilFinished(events)).rejects.toThrow('the payload of send-email is refused')
  // For good, although the contract says three attempts.
  expect(await fateOf(queue, refused.id)).toMatchObject({ state: 'failed', attemptsMade: 1 })

  // The second executor may still be starting.
  await expect
    .poll(told, { timeout: 30_000 })
    .toEqual(Array(2).fill(['Mailer was made', 'onModuleInit']).flat().sort())
  replica.kill('SIGTERM')
  expect(await replica.ended).toMatchObject({ code: 0, signal: null })
  const each = ['Mailer was made', 'onApplicationShutdown', 'onModuleDestroy', 'onModuleInit']
  expect(told()).toEqual(each.flatMap(line => [line, line]))
})

it('does not start with an application that does not, and names file and provider', async () => {
  const { code, stderr } = await runner(
    ['work', '--redis', redis.url, '--nest', 'unresolved.module.js', '--executors', '1', '--max-time', '1m'],
    { cwd: APP },
  )
  expect(code).toBe(2)
  expect(stderr).toMatch(/NEST_APP_FAILED unresolved\.module\.js: .*dependencies of .*Reports .*DATABASE/)
})

it('logs what NestJS says as lines of the replica, and its own start only for those who debug', () => {
  const lines: Record<string, unknown>[] = []
  const log = nestLog({ level: 'info', redact: ['password'] }, line => lines.push(JSON.parse(line)))
  log.log('Starting Nest application...', 'NestFactory')
  log.log('mailer is ready', 'Mailer')
  log.error('it broke', 'Error: it broke\n    at here', 'Mailer')
  log.warn({ password: 'secret', user: 'ada' }, 'Users')
  log.debug?.('not at this level', 'Mailer')
  expect(lines.map(({ time: _time, ...line }) => line)).toEqual([
    { level: 30, context: 'Mailer', msg: 'mailer is ready' },
    { level: 50, context: 'Mailer', more: 'Error: it broke\n    at here', msg: 'it broke' },
    {
      level: 40,
      context: 'Users',
      message: { password: expect.not.stringContaining('secret'), user: 'ada' },
      msg: '',
    },
  ])
})
