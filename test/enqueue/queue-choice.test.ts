import { expect, it } from 'vitest'
import { chooseQueue } from '../../src/enqueue/queue-choice.ts'
import type { Replica } from '../../src/redis/replicas.ts'
import { project } from '../helpers/project.ts'
import { startRedis } from '../helpers/redis.ts'
import { replicaEntry } from '../helpers/replica-entry.ts'
import { Replica as Fleet } from '../helpers/replica.ts'
import { runner } from '../helpers/runner.ts'

const live = (id: string, queues: string[], more: Partial<Replica> = {}): Replica =>
  replicaEntry({ id, jobs: ['a'], queues: Object.fromEntries(queues.map(queue => [queue, 1])), ...more })

it.each([
  ['nobody is there', [], 'default'],
  ['somebody works default', [live('1', ['x']), live('2', ['default'])], 'default'],
  ['only others are worked', [live('1', ['x'])], 'x'],
  ['most replicas win, then the name', [live('1', ['y', 'x']), live('2', ['z', 'x']), live('3', ['z'])], 'x'],
  ['who does not know the job does not count', [live('1', ['x'], { jobs: ['b'] })], 'default'],
  ['who is quiet does not count', [live('1', ['x'], { quiet: true })], 'default'],
])('%s', (_case, replicas, queue) => {
  expect(chooseQueue('a', replicas).queue).toBe(queue)
})

it('brings a job of no named queue to the one that a replica works, and says so', async () => {
  await using redis = await startRedis()
  using folder = project({
    'jobs/free.mjs': 'export default async () => 42',
    'jobs/bound.ts': `import { job } from 'bullmq-runner'\nexport default job({ queue: 'own', run: () => 1 })`,
  })
  const env = { REDIS_URL: redis.url }
  await using replica = await Fleet.start({
    redis,
    jobs: folder.path('jobs'),
    cwd: folder.dir,
    args: ['--queue', 'x:5'],
  })
  const free = await runner(['enqueue', 'free', '--wait'], { cwd: folder.dir, env })
  expect(free.stdout).toBe('42\n')
  expect(free.stderr).toMatch(/no live replica works queue default: free goes to x, which .+ works/)
  const bound = await runner(['enqueue', 'bound', '--json'], { cwd: folder.dir, env })
  expect(JSON.parse(bound.stdout)).toMatchObject({ queue: 'own' })
  replica.kill('SIGTERM')
  expect((await replica.ended).code).toBe(0)
})

it('a queue that nobody knows and that is nearly one of a live replica is used, and doubted', async () => {
  await using redis = await startRedis()
  using dir = project({ 'jobs/a.mjs': 'export default () => 1' })
  const env = { REDIS_URL: redis.url }
  const enqueue = (queue: string) =>
    runner(['enqueue', 'a', '--queue', queue, '--json'], { cwd: dir.dir, env })
  await using first = await Fleet.start({ redis, cwd: dir.dir, jobs: 'jobs', args: ['--queue', 'mail'] })
  const doubt = 'nobody is known to work queue mial: did you mean mail?'
  const ended = await enqueue('mial')
  expect(ended).toMatchObject({ code: 0, stderr: `${doubt}\n` })
  expect(JSON.parse(ended.stdout)).toMatchObject({ queue: 'mial' })
  expect(await enqueue('mail')).toMatchObject({ code: 0, stderr: '' })
  expect(await enqueue('else')).toMatchObject({ code: 0, stderr: '' })

  await using second = new Fleet({ redis, cwd: dir.dir, jobs: 'jobs', args: ['--queue', 'mial'] })
  await second.until(() => second.lines.some(line => line.level === 40 && line.msg === doubt), 'its doubt')
  expect(first.lines.filter(({ level }) => (level as number) > 30)).toEqual([])
})
