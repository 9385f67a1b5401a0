import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Events } from '../../src/observe/events.ts'
import { logEvents } from '../../src/observe/log-events.ts'
import { bench, EITHER_KIND, untilState } from '../helpers/fleet.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

const REF = { queue: 'q', job: 'j', id: '1' }

function listen(level: string): { events: Events; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const write = (chunk: Buffer, _encoding: string, done: () => void) => {
    lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>)
    done()
  }
  const events = new Events()
  logEvents(events, pino({ level, base: null }, new Writable({ write })))
  return { events, lines }
}

describe('logEvents', () => {
  it('writes the name and the fields at the level of the event', () => {
    const { events, lines } = listen('trace')
    events.emit('job.completed', { ...REF, attempt: 1, ms: 5 })
    events.emit('job.failed', { ...REF, attempt: 2, ms: 5, error: 'boom', final: true })
    events.emit('job.superseded', { ...REF, fence: 1, reason: 'started again' })
    expect(lines).toMatchObject([
      { level: 20, event: 'job.completed', msg: 'job.completed', ...REF, ms: 5 },
      { level: 40, event: 'job.failed', ...REF, error: 'boom' },
      { level: 50, event: 'job.superseded', ...REF },
    ])
  })

  it('does not listen to what the level leaves out, so that nobody makes it', () => {
    const { events, lines } = listen('warn')
    expect(events.listenerCount('job.completed')).toBe(0)
    expect(events.listenerCount('job.failed')).toBe(1)
    events.emit('fleet.quiet', { running: 1 })
    expect(lines).toEqual([])
    expect(listen('silent').events.eventNames()).toEqual([])
  })

  it('does not repeat an error of a worker that comes again and again', () => {
    const { events, lines } = listen('info')
    for (let i = 0; i < 1_000; i++)
      events.emit('worker.error', { queue: 'q', message: 'Connection is closed.' })
    events.emit('worker.error', { queue: 'q', message: 'another' })
    expect(lines.map(({ message }) => message)).toEqual(['Connection is closed.', 'another'])
  })
})

describe('the log of a replica', () => {
  let redis: TestRedis
  beforeAll(async () => void (redis = await startRedis()))
  afterAll(() => redis.stop())

  it.each(EITHER_KIND)('has no payload and no result in it, at any level (%s)', async isolation => {
    await using b = await bench(redis)
    await using replica = await Replica.start({ redis, logLevel: 'trace', args: ['--isolation', isolation] })
    const fine = await b.act({ do: 'return', value: 'hunter2' })
    const failed = await b.act({ do: 'throw', text: 'said by the handler', value: 'hunter2' })
    const crashed = await b.act({ do: 'exit', value: 'hunter2' })
    for (const { id } of [fine, failed, crashed]) await untilState(b.queue, id)
    await replica.event('job.failed', { id: crashed.id })
    expect(await replica.event('job.completed', { id: fine.id })).toMatchObject({ level: 20 })
    expect(await replica.event('job.failed', { id: failed.id })).toMatchObject({
      error: 'said by the handler',
    })
    replica.kill('SIGTERM')
    const { code, stdout, stderr } = await replica.ended
    expect(code).toBe(0)
    expect(stdout).toBe('')
    expect(stderr).not.toContain('hunter2')
  })

  it('is JSON to the last line, whatever there is to say, and says of its Redis what is wrong once', async () => {
    await using evicting = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
    await using replica = await Replica.start({ redis: evicting, logLevel: 'info' })
    replica.kill('SIGTTIN')
    await replica.until(() => replica.stderr.includes('0 running'), 'the dump')
    replica.kill('SIGTERM')
    expect((await replica.ended).code).toBe(0)
    expect(replica.stderr.trim().split('\n')).toHaveLength(replica.lines.length)
    const said = replica.lines.filter(({ event }) => event === undefined)
    expect(said).toMatchObject([
      { level: 40, msg: expect.stringContaining('has maxmemory-policy allkeys-lru') as string },
      { level: 30, msg: expect.stringMatching(/^0 running, rss \d+ MiB, loop late by /) as string },
      ...said.slice(2, -1),
      { level: 30, msg: expect.stringMatching(/^SIGTERM: no new jobs, 0 running/) as string },
    ])
    expect(replica.stderr.match(/allkeys-lru/g)).toHaveLength(1)
  })

  it('keeps to the level', async () => {
    await using replica = new Replica({ redis, logLevel: 'error', args: ['--max-time', '1ms'] })
    expect(await replica.ended).toMatchObject({ code: 0, stderr: '' })
  })

  it('at info says nothing of jobs that complete', async () => {
    await using b = await bench(redis)
    await b.acts(20, { do: 'return' })
    await using replica = await Replica.start({ redis, logLevel: 'info', args: ['--drain'] })
    await replica.ended
    expect(replica.lines.map(({ event }) => event)).toEqual([
      'fleet.started',
      'fleet.stopping',
      'fleet.quiet',
      'fleet.stopped',
    ])
    expect(replica.stderr.trim().split('\n')).toHaveLength(4)
    // Drained: it waits for what runs, however long.
    expect(replica.events('fleet.stopping')[0]).not.toHaveProperty('grace')
  })
})
