/** A trace from whoever adds a job to what its handler does, and on to the jobs that the handler adds. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL, fileURLToPath } from 'node:url'
import { ROOT_CONTEXT, context, propagation, trace } from '@opentelemetry/api'
import { AlwaysOffSampler, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openTelemetry } from '../../src/observe/telemetry.ts'
import { bench, KINDS, untilState } from '../helpers/fleet.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { runner } from '../helpers/runner.ts'

const SDK = pathToFileURL(fileURLToPath(new URL('../fixtures/otel/sdk.ts', import.meta.url))).href
const JOBS = fileURLToPath(new URL('../fixtures/otel/jobs', import.meta.url))
/** Of a producer: what BullMQ keeps with a job that was added within a span. */
const PRODUCER = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' }
const metadata = JSON.stringify({ traceparent: `00-${PRODUCER.trace}-${PRODUCER.span}-01` })

interface Span {
  name: string
  kind: number
  attributes: Record<string, unknown>
  status: { code: number }
  traceId: string
  spanId: string
  parent?: string
  pid: number
  isMainThread: boolean
}

let redis: TestRedis
let folder: string
beforeAll(async () => {
  redis = await startRedis()
  folder = mkdtempSync(join(tmpdir(), 'test-otel-'))
})
afterAll(async () => {
  await redis.stop()
  rmSync(folder, { recursive: true })
})

describe.each(KINDS)('with executors of kind %s', isolation => {
  it('is one, whose spans hang together across them', async () => {
    await using b = await bench(redis)
    const file = join(folder, `${isolation}.jsonl`)
    const spans = (): Span[] =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .split('\n')
            .filter(line => line !== '')
            .map(line => JSON.parse(line) as Span)
        : []
    const named = (name: string, id?: string) =>
      expect.poll(
        () =>
          spans().find(
            one => one.name === name && (id === undefined || one.attributes['bullmq.job.id'] === id),
          ),
        { message: `a span ${name} of ${id}` },
      )
    const the = async (name: string, id?: string): Promise<Span> => {
      await named(name, id).toBeDefined()
      return spans().find(
        one => one.name === name && (id === undefined || one.attributes['bullmq.job.id'] === id),
      ) as Span
    }
    await using replica = await Replica.start({
      redis,
      jobs: JOBS,
      args: ['--telemetry', '--executors', '1', '--isolation', isolation],
      env: { NODE_OPTIONS: `--import ${SDK}`, OTEL_FILE: file },
    })
    const traced = await b.queue.add('traced', {}, { telemetry: { metadata } })
    await untilState(b.queue, traced.id)

    const run = await the('process fleet', traced.id)
    expect(run).toMatchObject({ kind: 4, traceId: PRODUCER.trace, parent: PRODUCER.span, pid: replica.pid })
    expect(run.attributes).toMatchObject({
      'messaging.system': 'bullmq',
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'process',
      'messaging.destination.name': 'fleet',
      'messaging.message.id': traced.id,
    })
    // Of the handler, in its executor.
    const inside = await the('work of the handler')
    expect(inside).toMatchObject({ traceId: PRODUCER.trace, parent: run.spanId })
    if (isolation === 'thread') expect(inside.isMainThread).toBe(false)
    else expect(inside.pid).not.toBe(replica.pid)
    // What the handler adds, and where that runs.
    const added = await the('add fleet.failing')
    expect(added).toMatchObject({ kind: 3, traceId: PRODUCER.trace, parent: inside.spanId })
    const second = await the('process fleet', added.attributes['messaging.message.id'] as string)
    expect(second).toMatchObject({ traceId: PRODUCER.trace, parent: added.spanId, status: { code: 2 } })

    replica.kill('SIGTERM')
    expect((await replica.ended).code).toBe(0)
    // A worker that looks for jobs makes none.
    const others = spans().filter(({ traceId }) => traceId !== PRODUCER.trace)
    expect(others).toEqual([])
  })
})

it('says that no SDK is registered, and works on', async () => {
  await using b = await bench(redis)
  const { id } = await b.queue.add('traced', {})
  const args = ['work', '--redis', redis.url, '--jobs', JOBS, '--telemetry', '--executors', '1', '--drain']
  const { code, stderr } = await runner(args, { cwd: folder })
  expect(stderr).toContain('no SDK of OpenTelemetry is registered')
  expect(code).toBe(0)
  expect(await untilState(b.queue, id)).toMatchObject({ state: 'completed' })
})

describe('openTelemetry', () => {
  afterEach(() => {
    for (const api of [trace, context, propagation]) api.disable()
  })

  it('does not take a sampler that drops for an SDK that is missing', async () => {
    new NodeTracerProvider({ sampler: new AlwaysOffSampler() }).register()
    const told: string[] = []
    await (await openTelemetry(line => told.push(line)))[Symbol.asyncDispose]()
    expect(told).toEqual([])
  })

  it('ends also when its spans cannot be sent, and says why', async () => {
    const refuses = (why: string) => ({
      onStart() {},
      onEnd() {},
      forceFlush: () => Promise.reject(new Error(why)),
      shutdown: async () => {},
    })
    const spanProcessors = [refuses('503 of the first'), refuses('503 of the second')]
    new NodeTracerProvider({ spanProcessors }).register()
    const told: string[] = []
    await (await openTelemetry(line => told.push(line)))[Symbol.asyncDispose]()
    expect(told).toEqual([
      'telemetry: the last spans may not have been sent: 503 of the first; 503 of the second',
    ])
  })

  it.each(['no json', '{"traceparent":', '[object Object]', 'null'])(
    'begins a trace of its own where the producer left %s',
    async metadata => {
      new NodeTracerProvider().register()
      await using tracing = await openTelemetry(() => expect.unreachable())
      const { contextManager } = tracing.telemetry
      const read = contextManager.fromMetadata(ROOT_CONTEXT, metadata)
      expect(trace.getSpanContext(read as typeof ROOT_CONTEXT)).toBeUndefined()
    },
  )
})
