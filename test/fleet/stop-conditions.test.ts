import { expect, it, vi } from 'vitest'
import { resolveConfig } from '../../src/config.ts'
import { StopConditions } from '../../src/fleet/stop-conditions.ts'
import type { StopOptions, Stopping } from '../../src/fleet/stopping.ts'
import type { Supervisor } from '../../src/fleet/supervisor.ts'
import { Events } from '../../src/observe/events.ts'
import { bench } from '../helpers/fleet.ts'
import { startRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

it('lets the maximum time run before the replica has started, as when Redis goes away meanwhile', async () => {
  const config = await resolveConfig({ cwd: import.meta.dirname, env: {}, flags: { maxTime: '20ms' } })
  const stopped = Promise.withResolvers<StopOptions>()
  const stopping = { stop: stopped.resolve } as unknown as Stopping
  const conditions = new StopConditions(config, {} as Supervisor, stopping, new Events())
  conditions.startClock()
  expect(await stopped.promise).toEqual({ reason: 'maximum time reached', grace: 25_000 })
  conditions.close()
})

it('lets a maximum time of 30 days last 30 days', async () => {
  const config = await resolveConfig({ cwd: import.meta.dirname, env: {}, flags: { maxTime: '30d' } })
  vi.useFakeTimers()
  try {
    const stop = vi.fn<() => void>()
    const conditions = new StopConditions(
      config,
      {} as Supervisor,
      { stop } as unknown as Stopping,
      new Events(),
    )
    conditions.startClock()
    vi.advanceTimersByTime(30 * 86_400_000 - 1)
    expect(stop).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(stop).toHaveBeenCalledOnce()
  } finally {
    vi.useRealTimers()
  }
})

it('ends a replica that has more executors stuck than alive, and says that it failed', async () => {
  const config = await resolveConfig({ cwd: import.meta.dirname, env: {}, flags: { grace: '3s' } })
  const stop = vi.fn<(options: StopOptions) => void>()
  const events = new Events()
  const supervisor = { pool: { executors: [1, 2] } } as unknown as Supervisor
  void new StopConditions(config, supervisor, { stop } as unknown as Stopping, events)
  events.emit('executor.abandoned', { executor: 1, abandoned: 1 })
  events.emit('executor.abandoned', { executor: 2, abandoned: 2 })
  expect(stop).not.toHaveBeenCalled()
  events.emit('executor.abandoned', { executor: 3, abandoned: 3 })
  expect(stop).toHaveBeenCalledExactlyOnceWith({
    reason: '3 executors are stuck in native code, 2 are alive',
    grace: 3_000,
    code: 1,
  })
})

it('drains also what is due at once, and leaves what is due later', async () => {
  const redis = await startRedis()
  try {
    await using b = await bench(redis)
    const soon = await b.queue.add('act', { do: 'return' }, { delay: 700 })
    const later = await b.queue.add('act', { do: 'return' }, { delay: 600_000 })
    await using replica = await Replica.start({ redis, args: ['--queue', b.queue.name, '--drain'] })
    expect((await replica.ended).code).toBe(0)
    expect(await soon.getState()).toBe('completed')
    expect(await later.getState()).toBe('delayed')
  } finally {
    await redis.stop()
  }
})

it('takes its one job also from a replica that is gone, before it is idle for too long', async () => {
  const redis = await startRedis()
  try {
    await using b = await bench(redis)
    const job = await b.queue.add('act', { do: 'return' })
    // As a pod leaves it that was killed: active, and no longer locked.
    await redis.client().rpoplpush(b.queue.toKey('wait'), b.queue.toKey('active'))
    await redis.client().del(b.queue.toKey('marker'))
    const args = ['--queue', `${b.queue.name}:1`, '--max-jobs', '1', '--idle-timeout', '30s']
    await using replica = await Replica.start({ redis, args: [...args, '--lock-duration', '2s'] })
    expect((await replica.ended).code).toBe(0)
    expect(await job.getState()).toBe('completed')
  } finally {
    await redis.stop()
  }
})
