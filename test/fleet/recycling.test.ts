/** Executors that are replaced because of what they have done or hold, in replicas that work real jobs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { bench, EITHER_KIND, untilFinished } from '../helpers/fleet.ts'
import { expectPromiseKept } from '../helpers/oracle.ts'
import { project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

// Some wait for memory that a virtual machine may take its time to give.
vi.setConfig({ testTimeout: 90_000 })

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const MIB = 1024 ** 2

describe.each(EITHER_KIND)('in a %s', isolation => {
  const args = ['--isolation', isolation, '--executors', '2', '--concurrency', '4']

  it('replaces each executor after so many jobs, and each job is run once', async () => {
    await using b = await bench(redis)
    await using replica = await Replica.start({ redis, args: [...args, '--executor-max-jobs', '20'] })
    const ids: string[] = []
    while (replica.events('executor.recycled').length < 3) {
      const jobs = await b.acts(20, { do: 'sleep', ms: 20 })
      ids.push(...jobs.map(({ id }) => id as string))
      await untilFinished(b.queue, ids.length)
    }
    await expectPromiseKept(b.client, { ids, starts: 1 })
    const recycled = replica.events('executor.recycled')
    for (const { served, reason } of recycled) {
      expect(served).toBeGreaterThanOrEqual(20)
      expect(reason).toBe(`${served as number} jobs`)
    }
    // Each once: whoever is replaced takes no more.
    expect(new Set(recycled.map(({ executor }) => executor)).size).toBe(recycled.length)
    expect(replica.events('executor.ended')).toEqual([])
    replica.kill('SIGTERM')
    expect((await replica.ended).code).toBe(0)
  })

  it('replaces executors that leak, one at a time, and goes on', async () => {
    await using b = await bench(redis)
    const limit = isolation === 'thread' ? '500MiB' : '700MiB'
    await using replica = await Replica.start({ redis, args: [...args, '--max-rss', limit] })
    const leaking = await b.acts(12, { do: 'leak', value: 40 * MIB })
    const told = await replica.event('executor.recycled')
    expect(told['reason']).toMatch(
      new RegExp(`^the replica holds \\d+ MiB, more than ${limit.slice(0, 3)} MiB$`),
    )
    const after = await b.acts(4, { do: 'return' })
    await untilFinished(b.queue, 16)
    await expectPromiseKept(b.client, {
      ids: [...leaking, ...after].map(({ id }) => id as string),
      starts: 1,
    })
    expect(replica.events('fleet.stopping')).toEqual([])
    replica.kill('SIGTERM')
    expect((await replica.ended).code).toBe(0)
  })
})

it('stops with exit code 12 when new executors do not help, and finishes what runs', async () => {
  await using b = await bench(redis)
  using dir = project({
    'jobs/fat.mjs': `import { existsSync } from 'node:fs'
      const held = existsSync('fat') ? Buffer.alloc(500 * 2 ** 20, 1) : undefined
      const more = []
      export const queue = 'fleet'
      export default async ({ args }) => {
        more.push(Buffer.alloc(500 * 2 ** 20, 1))
        await new Promise(resolve => setTimeout(resolve, 3_000))
        return held === undefined ? 'thin' : 'fat'
      }`,
  })
  const args = ['--executors', '1', '--queue', 'fleet', '--max-rss', '450MiB']
  await using replica = await Replica.start({ redis, cwd: dir.dir, jobs: 'jobs', args })
  writeFileSync(join(dir.dir, 'fat'), '')
  const job = await b.queue.add('fat', {})
  const { code } = await replica.ended
  expect(code).toBe(12)
  const [stopping] = replica.events('fleet.stopping')
  expect(stopping?.['reason']).toMatch(
    /^recycled: the replica holds \d+ MiB, more than 450 MiB, with all executors new$/,
  )
  expect((await b.queue.getJob(job.id as string))?.returnvalue).toBe('thin')
})

it('refuses a limit that it is over before its first job', async () => {
  const replica = new Replica({ redis, args: ['--max-rss', '20MiB'] })
  const { code, stderr } = await replica.ended
  expect(code).toBe(2)
  expect(stderr).toMatch(/maxRss is 20 MiB, and the replica holds \d+ MiB before its first job/)
})
