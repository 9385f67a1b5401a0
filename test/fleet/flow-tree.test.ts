/** A flow as it is read from Redis, worked by bare BullMQ workers. */
import { FlowProducer, Queue, Worker, type FlowJob } from 'bullmq'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { flowTreeText, readFlowTree } from '../../src/fleet/flow-tree.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

let redis: TestRedis
let flows: FlowProducer
const queues: Record<string, Queue> = {}
const workers: Worker[] = []
beforeAll(async () => {
  redis = await startRedis()
  flows = new FlowProducer({ connection: redis.client() })
  for (const name of ['reports', 'pages']) {
    queues[name] = new Queue(name, { connection: redis.client() })
    const run = async ({ data }: { data: { fails?: string } }) => {
      if (data.fails !== undefined) throw new Error(data.fails)
    }
    workers.push(new Worker(name, run, { connection: redis.client(), autorun: false }))
  }
})
afterAll(async () => {
  await Promise.all([...workers, ...Object.values(queues), flows].map(one => one.close()))
  await redis.stop()
})

/** `id`: as flows of handlers have it, so that the order is known. */
const job = (id: string, opts: object = {}, children: FlowJob[] = [], data: object = {}): FlowJob => ({
  name: id.slice(0, id.indexOf('~')),
  queueName: id.startsWith('page') ? 'pages' : 'reports',
  data,
  opts: { jobId: id, ...opts },
  ...(children.length > 0 && { children }),
})
const ID = 'aaaaaaaaaa'
const read = (queue: string, id: string, limits?: object) => readFlowTree(queues[queue]!, id, limits)

it('shows a nested flow over two queues with a failed child and one that is gone, from any of its jobs', async () => {
  const page = (n: number, opts: object = {}, data: object = {}) => job(`page~${ID}~${n}`, opts, [], data)
  const never = { failParentOnFailure: true }
  await flows.add(
    job(`year~${ID}~0`, {}, [
      job(`month~${ID}~1`, never, [
        page(2),
        page(3, never, { fails: 'no paper\nat all' }),
        page(4, { ignoreDependencyOnFailure: true, removeOnFail: true }, { fails: 'gone' }),
      ]),
      page(5, { removeOnComplete: true }),
      page(6, { delay: 3_600_000 }),
    ]),
  )
  const over = new Promise<void>(resolve =>
    workers[0]!.on('failed', one => void (one?.name === 'year' && resolve())),
  )
  for (const worker of workers) void worker.run()
  await over
  await expect
    .poll(() => queues['pages']!.getJobCounts('waiting', 'active'))
    .toEqual({ waiting: 0, active: 0 })

  const [root, month, failed] = [
    [`year~${ID}~0`, 'reports'],
    [`month~${ID}~1`, 'reports'],
    [`page~${ID}~3`, 'pages'],
  ] as [[string, string], [string, string], [string, string]]
  const lines = (asked: string) =>
    [
      `year~${ID}~0  reports  failed: child bull:reports:month~${ID}~1 failed`,
      `├─ month~${ID}~1  reports  failed: child bull:pages:page~${ID}~3 failed`,
      `│  ├─ page~${ID}~2  pages  completed`,
      `│  ├─ page~${ID}~3  pages  failed: no paper`,
      `│  └─ page~${ID}~4  pages  failed: gone`,
      `├─ page~${ID}~5  pages  completed`,
      `└─ page~${ID}~6  pages  delayed`,
    ].map(line => (line.includes(` ${asked}  `) || line.startsWith(`${asked}  `) ? `${line}  <--` : line))
  for (const [id, queue] of [root, month, failed])
    expect(flowTreeText(await read(queue, id)).split('\n')).toEqual(lines(id))

  const tree = await read('pages', failed[0])
  expect(tree).toMatchObject({ name: 'year', id: root[0], queue: 'reports', state: 'failed' })
  expect(tree.asked).toBeUndefined()
  expect(tree.children[0]?.children[1]).toEqual({
    name: 'page',
    id: failed[0],
    queue: 'pages',
    state: 'failed',
    failedReason: 'no paper\nat all',
    asked: true,
    children: [],
  })

  // A root that is kept no longer.
  await redis.client().del(`bull:reports:${root[0]}`)
  expect(
    flowTreeText(await read('reports', month[0]))
      .split('\n')
      .slice(0, 3),
  ).toEqual([
    `(below year~${ID}~0 on queue reports, which is gone)`,
    `month~${ID}~1  reports  failed: child bull:pages:page~${ID}~3 failed  <--`,
    `├─ page~${ID}~2  pages  completed`,
  ])
})

it('says how many jobs it leaves out, by count and by level', async () => {
  const paused = ['a', 'b', 'c', 'd'].map((letter): FlowJob => ({
    name: letter,
    queueName: 'paused',
    opts: { jobId: letter },
  }))
  const [first, ...rest] = paused as [FlowJob, ...FlowJob[]]
  const below: FlowJob = { name: 'below', queueName: 'paused', opts: { jobId: 'below' } }
  await flows.add({
    name: 'top',
    queueName: 'reports',
    opts: { jobId: 'top' },
    children: [{ ...first, children: [below] }, ...rest] as never,
  })
  expect(flowTreeText(await read('reports', 'top', { jobs: 3 })).split('\n')).toEqual([
    'top top  reports  waiting-children  <--',
    '├─ a a  paused  waiting-children',
    '│  └─ 1 more',
    '├─ b b  paused  waiting',
    '└─ 2 more',
  ])
  const [a] = (await read('reports', 'top', { levels: 1 })).children
  expect(a).toMatchObject({ id: 'a', cut: 1, children: [] })
  expect((await read('reports', 'top', { levels: 0 })).cut).toBe(4)
})

it('a job that is no part of a flow stands alone, and one that is not there is an error', async () => {
  await queues['pages']!.pause()
  const { id } = await queues['pages']!.add('alone', {})
  expect(flowTreeText(await read('pages', id!))).toBe(`alone ${id}  pages  waiting  <--`)
  await expect(read('pages', 'nobody')).rejects.toMatchObject({
    code: 'JOB_NOT_FOUND',
    message: 'job nobody is not in queue pages',
  })
})
