/** The module in an application, against a real Redis. */
import 'reflect-metadata'
import { Inject, Module, type DynamicModule, type ModuleMetadata, type Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import { RunnerHealthIndicator, RunnerModule, RunnerProducer, contract } from '../../src/nestjs/index.ts'
import { Replicas, type Replica } from '../../src/redis/replicas.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

const mail = contract({
  queue: 'mail',
  name: 'send-email',
  args: z.object({ to: z.email(), at: z.coerce.date().optional(), template: z.string().default('plain') }),
  attempts: 4,
  backoff: '1s',
  removeOnComplete: { count: 7 },
})

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
beforeEach(() => redis.flush())

function moduleOf(metadata: ModuleMetadata): Type {
  const made = class {
    readonly metadata = metadata
  }
  Module(metadata)(made)
  return made
}

/** An application with this module at its root; closed at the end of the test. */
async function application(module: DynamicModule) {
  const root = moduleOf({ imports: [module] })
  const app = await NestFactory.createApplicationContext(root, { logger: false, abortOnError: false })
  return {
    producer: app.get(RunnerProducer),
    health: app.get(RunnerHealthIndicator),
    close: () => app.close(),
    [Symbol.asyncDispose]: () => app.close(),
  }
}

const open = () => application(RunnerModule.forRoot({ redis: redis.url }))

const stored = async (queue: string, id: string, prefix = 'bull') => {
  const client = redis.client()
  const { name, data, opts } = await client.hgetall(`${prefix}:${queue}:${id}`)
  client.disconnect()
  return { name, data: JSON.parse(data as string), opts: JSON.parse(opts as string) }
}

const refusal = (doing: Promise<unknown>): Promise<unknown> =>
  doing.then(
    () => undefined,
    (error: unknown) => error,
  )

/** Of `roles`: those that the server has. */
const connections = async (): Promise<string[]> => {
  const client = redis.client()
  const list = String(await client.client('LIST'))
  client.disconnect()
  return [...list.matchAll(/name=(runner:\S+)/g)].map(([, name]) => name as string)
}

it('adds by a contract: the options of the contract, the payload as it was given', async () => {
  await using app = await open()
  const at = '2026-01-01T00:00:00.000Z'
  const { id, queue, added } = await app.producer.enqueue(mail, { to: 'ada@example.com', at })
  expect({ queue, added }).toEqual({ queue: 'mail', added: true })
  const { name, data, opts } = await stored('mail', id)
  // Neither the default nor the Date: the schema is applied once, before the run.
  expect({ name, data }).toEqual({ name: 'send-email', data: { to: 'ada@example.com', at } })
  expect(opts).toMatchObject({
    attempts: 4,
    backoff: { type: 'fixed', delay: 1_000 },
    removeOnComplete: { count: 7 },
    removeOnFail: { count: 5_000 },
  })
})

it('takes options of one job, and says when an id is taken', async () => {
  await using app = await open()
  const args = { to: 'ada@example.com' }
  const options = { id: 'ada', queue: 'post', delay: '5m', attempts: 1, priority: 3 }
  expect(await app.producer.enqueue(mail, args, options)).toEqual({ id: 'ada', queue: 'post', added: true })
  expect((await stored('post', 'ada')).opts).toMatchObject({ delay: 300_000, attempts: 1, priority: 3 })
  expect(await app.producer.enqueue(mail, { to: 'bob@example.com' }, options)).toMatchObject({ added: false })
})

it('adds nothing of what the schema or BullMQ would refuse', async () => {
  await using app = await open()
  const { producer } = app
  expect(await refusal(producer.enqueue(mail, { to: 'ada' }))).toMatchObject({
    code: 'ARGS_INVALID',
    details: [expect.objectContaining({ path: 'to' })],
  })
  expect(await refusal(producer.enqueue('x', JSON.parse('{"__proto__":{}}')))).toMatchObject({
    code: 'ARGS_INVALID',
  })
  expect(await refusal(producer.enqueue('x', 'y'.repeat(2 ** 20)))).toMatchObject({ code: 'ARGS_INVALID' })
  expect(await refusal(producer.enqueue('x', {}, { id: '12' }))).toMatchObject({ code: 'USAGE' })
  expect(await refusal(producer.enqueue({ name: 'x' } as never, {}))).toMatchObject({
    code: 'USAGE',
    hint: 'of a job file: contract({ queue, name, ...definition })',
  })
  const client = redis.client()
  expect(await client.keys('*')).toEqual([])
  client.disconnect()
})

it('adds by name alone, on the queue that is named, with what it is told', async () => {
  await using app = await open()
  const { id } = await app.producer.enqueue('reindex', { table: 'users' })
  expect(await stored('default', id)).toMatchObject({ name: 'reindex', data: { table: 'users' } })
})

it('gets its options from a provider, and keeps to a prefix', async () => {
  const SETTINGS = Symbol('settings')
  const settings = moduleOf({
    providers: [{ provide: SETTINGS, useValue: { prefix: 'app' } }],
    exports: [SETTINGS],
  })
  await using app = await application(
    RunnerModule.forRootAsync({
      imports: [settings],
      inject: [SETTINGS],
      useFactory: async ({ prefix }: { prefix: string }) => ({ redis: redis.url, prefix }),
    }),
  )
  const { id } = await app.producer.enqueue(mail, { to: 'ada@example.com' })
  expect(await stored('mail', id, 'app')).toMatchObject({ name: 'send-email' })
})

it('is there for every module, connects when it is first needed, and closes with the application', async () => {
  class Users {
    readonly producer: RunnerProducer
    constructor(producer: RunnerProducer) {
      this.producer = producer
    }
  }
  Inject(RunnerProducer)(Users, undefined, 0)
  const users = moduleOf({ providers: [Users] })
  const root = moduleOf({ imports: [RunnerModule.forRoot({ redis: redis.url }), users] })
  const app = await NestFactory.createApplicationContext(root, { logger: false })
  expect(await connections()).toEqual([])
  const { producer } = app.get(Users)
  await Promise.all(
    ['ada', 'bob'].map(id => producer.enqueue(mail, { to: `${id}@example.com` }, { queue: id })),
  )
  expect(await connections()).toEqual(['runner:producer'])
  await app.close()
  await expect.poll(connections).toEqual([])
  await expect(producer.enqueue(mail, { to: 'ada@example.com' })).rejects.toThrow('has shut down')
})

it('says which of its options is wrong', async () => {
  await using app = await application(RunnerModule.forRoot({ redis: 7 as never }))
  expect(await refusal(app.producer.enqueue('x'))).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/^redis of RunnerModule: /),
  })
})

it('is healthy while Redis answers and a live replica takes jobs of each queue', async () => {
  await using app = await open()
  const look = () => app.health.isHealthy('runner', { queues: ['mail'] })
  expect(await app.health.isHealthy('redis')).toEqual({
    redis: { status: 'up', redis: expect.stringMatching(/^\w+ \d/), replicas: {} },
  })
  const unworked = 'no live replica takes jobs of mail'
  expect((await look()).runner).toMatchObject({ status: 'down', replicas: { mail: 0 }, message: unworked })
  const replicas = new Replicas(redis.client(), 'bull')
  const replica = { id: 'a', queues: { mail: 10 }, jobs: [], quiet: false } as unknown as Replica
  await replicas.publish(replica)
  expect((await look()).runner).toMatchObject({ status: 'up', replicas: { mail: 1 } })
  await replicas.publish({ ...replica, quiet: true })
  expect((await look()).runner).toMatchObject({ status: 'down', message: unworked })
})

it('is down, and does not wait, when Redis does not answer', async () => {
  await using app = await open()
  await app.health.isHealthy('runner')
  redis.freeze()
  const { runner } = await app.health.isHealthy('runner', { timeout: '200ms' })
  redis.thaw()
  expect(runner).toEqual({ status: 'down', message: 'Redis did not answer within 200ms' })
  await using nowhere = await application(RunnerModule.forRoot({ redis: 'redis://127.0.0.1:1' }))
  expect((await nowhere.health.isHealthy('runner', { timeout: '9s' })).runner).toMatchObject({
    status: 'down',
    message: expect.stringContaining('127.0.0.1:1'),
  })
})
