/** What nobody may read who reads logs, metrics and traces: payloads, results, and the password of Redis. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Act } from '../fixtures/actions.ts'
import { untilState } from '../helpers/fleet.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { runner } from '../helpers/runner.ts'

const SDK = pathToFileURL(fileURLToPath(new URL('../fixtures/otel/sdk.ts', import.meta.url))).href
const PASSWORD = 'canary-of-redis-7e1f'
const CANARY = 'canary-of-a-payload-93ab'
const SECRETS = [PASSWORD, CANARY]

let redis: TestRedis
let folder: string
beforeAll(async () => {
  redis = await startRedis({ args: ['--requirepass', PASSWORD] })
  folder = mkdtempSync(join(tmpdir(), 'test-secrets-'))
})
afterAll(async () => {
  await redis.stop()
  rmSync(folder, { recursive: true })
})

it('is in none of them, however jobs end', async () => {
  const spans = join(folder, 'spans.jsonl')
  const url = `redis://:${PASSWORD}@127.0.0.1:${redis.port}`
  const client = new Redis(url)
  const queue = new Queue('fleet', { connection: client })
  const act = (what: Act) => queue.add('act', { ...what, value: CANARY })
  await using replica = await Replica.start({
    redis: { url },
    logLevel: 'trace',
    args: ['--http', '127.0.0.1:0', '--telemetry', '--executors', '2', '--block-warn', '500ms'],
    env: { NODE_OPTIONS: `--import ${SDK}`, OTEL_FILE: spans },
  })
  const { url: http } = await replica.event('http.listening')

  const completed = await act({ do: 'return' })
  const failed = await act({ do: 'throw', text: 'said by the handler' })
  const crashed = await act({ do: 'exit' })
  const refused = await queue.add('strict', { count: CANARY })
  const broken = await queue.add('act', {}, { delay: 600_000 })
  await client.hset(queue.toKey(broken.id as string), 'data', `{"value":"${CANARY}`)
  await broken.promote()
  const unknown = await queue.add('no-such-job', { value: CANARY })
  for (const { id } of [completed, failed, crashed, refused, unknown]) await untilState(queue, id)
  // What reads jobs trips over its payload.
  await expect.poll(() => queue.getJobState(broken.id as string)).toBe('failed')
  const blocked = await act({ do: 'spin', ms: 2_000 })
  await untilState(queue, blocked.id)
  const cancelled = await act({ do: 'sleep', ms: 600_000 })
  await untilState(queue, cancelled.id, 'active')
  const args = ['jobs', 'cancel', cancelled.id as string, '--queue', 'fleet', '--yes']
  const cancelling = await runner(args, { cwd: folder, env: { REDIS_URL: url } })
  expect(cancelling).toMatchObject({ code: 0 })
  await untilState(queue, cancelled.id)

  const metrics = await (await fetch(`${String(http)}/metrics`)).text()
  replica.kill('SIGTERM')
  const { code, stdout, stderr } = await replica.ended
  expect(code).toBe(0)
  await queue.close()
  client.disconnect()

  const told = {
    log: stderr,
    stdout,
    metrics,
    traces: readFileSync(spans, 'utf8'),
    cancel: cancelling.stdout + cancelling.stderr,
  }
  // That all of it was told of at all.
  for (const event of ['job.completed', 'job.failed', 'job.blocked', 'job.unknown', 'executor.ended'])
    expect(told.log).toContain(`"event":"${event}"`)
  for (const error of ['said by the handler', 'ArgsError: the payload of strict is refused', 'is not JSON'])
    expect(told.log).toContain(error)
  expect(told.traces).toContain(`"messaging.message.id":"${cancelled.id}"`)
  expect(told.metrics).toMatch(/^runner_jobs_finished_total\{.*outcome="failed"\} [1-9]/m)
  expect(told.metrics).toMatch(/^runner_job_blocks_total\{.*\} [1-9]/m)
  for (const [where, text] of Object.entries(told))
    for (const secret of SECRETS)
      expect(
        text.includes(secret),
        `${secret} in ${where}: ${text.split('\n').find(line => line.includes(secret))}`,
      ).toBe(false)
})
