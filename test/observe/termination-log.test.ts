/** What a replica leaves behind for who asks why it ended. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TerminationLog } from '../../src/observe/termination-log.ts'
import { bench } from '../helpers/fleet.ts'
import { untilRecorded } from '../helpers/oracle.ts'
import { project, type Project } from '../helpers/project.ts'
import { freePort, startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
let dir: Project
beforeAll(async () => {
  redis = await startRedis()
  dir = project()
})
afterAll(async () => {
  dir[Symbol.dispose]()
  await redis.stop()
})

const read = (file: string) => readFileSync(dir.path(file), 'utf8')

describe('a replica', () => {
  it('says what it was told and what ran, at once, and at the end what became of it', async () => {
    await using b = await bench(redis)
    const args = ['--executors', '1', '--grace', '30s', '--termination-log', dir.path('told')]
    await using replica = await Replica.start({ redis, args })
    await b.acts(2, { do: 'gate', text: 'hunter2' })
    await untilRecorded(b.client, 'start', 2)
    replica.kill('SIGTERM')
    await replica.event('fleet.stopping')
    await expect.poll(() => read('told')).toBe('SIGTERM; running: act 2\n')
    await b.open()
    expect((await replica.ended).code).toBe(0)
    expect(read('told')).toBe('SIGTERM; running: act 2; 2 completed, 0 failed, 0 handed back\n')
  })

  it('says why it could not start, with the code and the fix', async () => {
    const env = { RUNNER_TERMINATION_LOG: dir.path('unreachable') }
    await using replica = new Replica({ redis: { url: `redis://127.0.0.1:${await freePort()}` }, env })
    expect((await replica.ended).code).toBe(4)
    expect(read('unreachable')).toMatch(
      /^REDIS_UNREACHABLE Redis at .* cannot be reached: .*ECONNREFUSED.*\nhint: start Redis there/,
    )
  })

  it('does not fail for a file that cannot be written, and says so', async () => {
    const args = ['--executors', '1', '--drain', '--termination-log', dir.path('none/there')]
    await using replica = new Replica({ redis, args })
    expect((await replica.ended).code).toBe(0)
    expect(replica.stderr).toContain('the reason of the end cannot be written: ENOENT')
  })
})

describe('TerminationLog', () => {
  it('is cut at what Kubernetes shows, between two letters', () => {
    const log = new TerminationLog(dir.path('long'), () => expect.unreachable())
    log.write(`x${'é'.repeat(5_000)}`)
    const text = read('long')
    expect(Buffer.byteLength(text)).toBe(4_095)
    expect(text).toBe(`x${'é'.repeat(2_047)}`)
  })

  it('tells once that its file cannot be written', () => {
    const told: string[] = []
    const log = new TerminationLog(dir.path('none/there'), message => told.push(message))
    log.write('first')
    log.write('second')
    expect(told).toEqual([expect.stringContaining('cannot be written: ENOENT')])
  })

  it('has the stack of what was not meant to happen', () => {
    const log = new TerminationLog(dir.path('crash'), () => expect.unreachable())
    log.fail(new TypeError('boom'))
    expect(read('crash')).toMatch(/^crashed: TypeError: boom\n {4}at .*termination-log\.test\.ts/)
  })
})
