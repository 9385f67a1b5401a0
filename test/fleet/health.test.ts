/** What is thought of a replica while Redis refuses or is silent, with a Redis and a worker that are played by the test. */
import type { RedisQueueBackend } from 'bullmq'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Fetching } from '../../src/fleet/fetching.ts'
import { Health, type HealthOptions } from '../../src/fleet/health.ts'
import { Events } from '../../src/observe/events.ts'

const READONLY = new Error("READONLY You can't write against a read only replica.")
const REDIRECTED = new Error('Too many Cluster redirections. Last error: Error: Connection is closed.')

let health: Health
let fetching: Fetching
let held: number
/** Of all that is asked to read the backlog: jobs that wait. */
let answer: () => Promise<number>
let told: string[]

beforeEach(() => {
  vi.useFakeTimers()
  held = 0
  told = []
  answer = async () => 0
  const backend = { moveToActive: async () => [], waitForJob: async () => null }
  fetching = new Fetching(backend as unknown as RedisQueueBackend, new AbortController().signal)
  const worker = { name: 'mail', fetching, sleepsForRate: false }
  const workers = { all: [worker], concurrency: { mail: 2 }, locks: {}, heldOf: () => held }
  const pipeline = {
    exec: async () => [await answer(), 0, held, [null, null, null], null, -2].map(value => [null, value]),
  }
  for (const name of ['llen', 'zcard', 'hmget', 'get', 'pttl'])
    Object.assign(pipeline, { [name]: () => pipeline })
  const events = new Events()
  events.on('redis.silent', () => told.push('silent'))
  events.on('redis.answers', () => told.push('answers'))
  health = new Health({
    config: {},
    supervisor: { workers },
    stopping: { started: false },
    redis: { prefix: 'bull', connect: () => ({ pipeline: () => pipeline }) },
    events,
  } as unknown as HealthOptions)
  events.emit('fleet.started', {} as never)
})
afterEach(async () => {
  await health[Symbol.asyncDispose]()
  vi.useRealTimers()
})

it.each([
  ['all slots are taken', 2, 5, 'saturated'],
  ['there is nothing to do', 0, 0, 'idle'],
])('is down for 6 s after Redis has refused anything while %s', async (_when, running, waiting, verdict) => {
  held = running
  answer = async () => waiting
  await vi.advanceTimersByTimeAsync(3_000)
  expect(health.judgement.verdict).toBe(verdict)
  fetching.onRefused(READONLY)
  await vi.advanceTimersByTimeAsync(3_000)
  expect(health.judgement).toMatchObject({ verdict: 'redis-down', why: 'mail: Redis refuses: readonly' })
  await vi.advanceTimersByTimeAsync(3_000)
  expect(health.judgement.verdict).toBe(verdict)
})

it('does not take the end of a question for an answer', async () => {
  await vi.advanceTimersByTimeAsync(3_000)
  // ioredis gives up before Redis counts as silent, and after it.
  for (const ms of [100, 6_000]) {
    answer = () => new Promise((_, reject) => setTimeout(reject, ms, REDIRECTED))
    await vi.advanceTimersByTimeAsync(30_000)
    expect(health.judgement.verdict).toBe('redis-down')
    expect(health.judgement.why).toMatch(/^Redis has not answered for \d+ s$/)
  }
  expect(told).toEqual(['silent'])
  answer = async () => 0
  await vi.advanceTimersByTimeAsync(10_000)
  expect(health.judgement.verdict).toBe('idle')
  expect(told).toEqual(['silent', 'answers'])
})

it('takes a refusal for an answer', async () => {
  answer = () => Promise.reject(READONLY)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(health.judgement.why).toContain('READONLY')
  expect(told).toEqual([])
})
