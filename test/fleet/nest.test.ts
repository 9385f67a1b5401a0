/** A replica with `--nest`. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { nestLog } from '../../src/fleet/inside/nest-log.ts'
import { bench, untilState } from '../helpers/fleet.ts'
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

it('runs handlers beside job files, and ends the application in good order', async () => {
  const journal = join(dir, 'hooks')
  await using replica = await Replica.start({
    redis,
    args: ['--nest', join(APP, 'app.module.js'), '--executors', '1'],
    env: { NEST_APP_LOG: journal },
  })
  expect((await replica.event('fleet.started'))['queues']).toEqual({
    audits: 10,
    default: 10,
    fleet: 10,
    mail: 10,
  })
  await using bed = await bench(redis, 'mail')
  const { queue } = bed
  const job = await queue.add('send-email', { to: 'ada@example.com' })
  const { returnvalue } = await untilState(queue, job.id, 'completed')
  expect(returnvalue).toEqual({ sent: 'plain to ada@example.com', attempt: 1 })
  expect((await queue.getJobLogs(job.id as string)).logs).toEqual(['INFO sending'])

  const strange = await queue.add('send-mail', {})
  expect((await untilState(queue, strange.id, 'failed')).failedReason).toMatch(
    /no replica on queue mail has a handler named send-mail; known here: .*audit.*send-email/,
  )
  const refused = await queue.add('send-email', { to: 'ada' })
  // For good, although the contract says three attempts.
  expect(await untilState(queue, refused.id, 'failed')).toMatchObject({
    failedReason: expect.stringContaining('the payload of send-email is refused'),
    attemptsMade: 1,
  })
  replica.kill('SIGTERM')
  expect(await replica.ended).toMatchObject({ code: 0, signal: null })
  // One application, of the one executor.
  expect(readFileSync(journal, 'utf8').trim().split('\n')).toEqual([
    'Mailer was made',
    'onModuleInit',
    'onModuleDestroy',
    'onApplicationShutdown',
  ])
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
