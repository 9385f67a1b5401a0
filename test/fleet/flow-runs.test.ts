/** Flows that handlers add, and what parents see of their children, on one real replica. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AddedFlow, Child, Flow, OnFail } from '../../src/job/flow.ts'
import { untilState, type Bench, type Fate } from '../helpers/fleet.ts'
import { withReplica } from '../helpers/one-replica.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

const FLOW_JOBS = fileURLToPath(new URL('../fixtures/jobs-flow', import.meta.url))

let redis: TestRedis
let b: Bench
const queues = new Map<string, Queue>()
beforeAll(async () => void (redis = await startRedis()))
afterAll(async () => {
  await Promise.all([...queues.values()].map(queue => queue.close()))
  await redis.stop()
})
withReplica(
  () => redis,
  ['--jobs', FLOW_JOBS, '--executors', '1', '--redact', 'password'],
  one => void ({ b } = one),
)

function queueOf(name: string): Queue {
  const queue = queues.get(name) ?? new Queue(name, { connection: b.client })
  queues.set(name, queue)
  return queue
}

/** Lets a handler add it. */
const start = async (flow: unknown): Promise<Fate> =>
  untilState(b.queue, (await b.queue.add('starter', flow)).id)
const added = async (flow: Flow): Promise<AddedFlow> => (await start(flow)).returnvalue as AddedFlow
const ended = async (flow: Flow) => untilState(queueOf('reports'), (await added(flow)).id)
const childrenOf = ({ returnvalue }: Fate) => (returnvalue as { children: Child[] }).children
const act = (args: object, more: Partial<Flow> = {}): Flow => ({ job: 'act', args, ...more })
const isJob = (key: string) => /^bull:(reports|parts|fleet):[^:]*$/.test(key)
/** Keys of jobs, without those of queues and of the starters themselves. */
const jobKeys = async () =>
  (await b.client.keys('bull:*'))
    .filter(key => isJob(key) && !/:(\d+|id|meta|marker|events|wait|active|pc)$/.test(key))
    .sort()

describe('a flow', () => {
  it('of a parent and 20 children over two queues gives the parent their results, in order', async () => {
    const parts = Array.from({ length: 10 }, (_, nth): Flow => ({ job: 'part', args: { nth } }))
    const acts = Array.from({ length: 10 }, (_, nth) => act({ do: 'return', value: { nth } }))
    const children = parts.flatMap((part, i) => [acts[i]!, part])
    const flow = await added({ job: 'gather', children })
    expect(flow).toMatchObject({ added: true, id: expect.stringMatching(/^gather~\w{10}~0$/) as string })
    expect(flow.children.map(({ id }) => id.replace(/~\w+~/, ' '))).toEqual(
      children.map(({ job }, i) => `${job} ${i + 1}`),
    )
    const fate = await untilState(queueOf('reports'), flow.id)
    expect(fate).toMatchObject({ state: 'completed', attemptsStarted: 1 })
    // Those of `part` are not kept: what they were is known all the same.
    expect(childrenOf(fate)).toEqual(
      children.map(({ job }, i) => ({
        name: job,
        id: flow.children[i]!.id,
        queue: job === 'act' ? 'fleet' : 'parts',
        state: 'completed',
        result: { nth: Math.floor(i / 2), ...(job === 'part' && { at: 'now' }) },
      })),
    )
    expect(await queueOf('parts').getJobCounts('completed', 'failed')).toEqual({ completed: 0, failed: 0 })
  })

  it('is nested: a child with children waits for its own', async () => {
    const inner: Flow = { job: 'gather', children: [act({ do: 'return', value: 'leaf' })] }
    const [child] = childrenOf(await ended({ job: 'gather', children: [inner] }))
    expect(child).toMatchObject({ name: 'gather', result: { children: [{ name: 'act', result: 'leaf' }] } })
  })

  it('keeps what the files of its jobs say, and what it says itself', async () => {
    const delay = '1h'
    const { children } = await added({
      job: 'gather',
      priority: 9,
      children: [
        { job: 'part', args: { nth: 1 }, delay },
        { job: 'part', args: { nth: 2 }, delay, attempts: 2, priority: 0, id: 'mine', onFail: 'ignore' },
      ],
    })
    const jobs = await Promise.all(children.map(({ id }) => queueOf('parts').getJob(id)))
    const file = {
      attempts: 4,
      backoff: { type: 'exponential', delay: 50, jitter: 0.5 },
      priority: 3,
      removeOnComplete: true,
      removeOnFail: { count: 7 },
      delay: 3_600_000,
    }
    expect(jobs[0]).toMatchObject({ name: 'part', data: { nth: 1 }, opts: file })
    expect(jobs[0]?.opts).toMatchObject({ failParentOnFailure: true })
    expect(jobs[1]).toMatchObject({
      id: 'mine',
      opts: { ...file, attempts: 2, priority: 0, ignoreDependencyOnFailure: true },
    })
    expect(jobs[1]?.opts.failParentOnFailure).toBeUndefined()
  })

  it('a job without children is told of none', async () => {
    const { id } = await queueOf('reports').add('gather', {})
    expect(childrenOf(await untilState(queueOf('reports'), id))).toEqual([])
  })
})

describe('README.md', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const [, chapter = ''] = /^## Flows\n(.*?)^## /ms.exec(readme) ?? []

  it('shows jobs that are run here', async () => {
    for (const name of ['close-month', 'report']) {
      const text = readFileSync(join(FLOW_JOBS, `${name}.ts`), 'utf8')
      expect(chapter).toContain(`\`\`\`ts\n// jobs/${name}.ts\n${text}\`\`\`\n`)
    }
    const jobs = queueOf('default')
    const close = async () => {
      const { id } = await jobs.add('close-month', { month: '11', shops: ['a', 'closed', 'bcd'] })
      return (await untilState(jobs, id)).returnvalue
    }
    expect(await close()).toMatchObject({ id: 'report-11', added: true })
    const report = { total: 4, missing: ['no orders of closed in 11'] }
    expect(await untilState(jobs, 'report-11')).toMatchObject({ returnvalue: report })
    expect(await close()).toEqual({ id: 'report-11', added: false, children: [] })
  })

  it('shows a flow that is one', async () => {
    const [, json = ''] = /--flow '(.*)' --wait/.exec(chapter) ?? []
    const { id } = await b.queue.add('starter', JSON.parse(json))
    const { returnvalue } = await untilState(b.queue, id)
    const fate = await untilState(queueOf('default'), (returnvalue as AddedFlow).id)
    expect(fate.returnvalue).toEqual({ total: 1, missing: [] })
  })
})

describe('a child that fails for good', () => {
  const GOOD = act({ do: 'return', value: 'good' })
  const failing = (onFail?: OnFail): Flow => ({
    job: 'gather',
    children: [act({ do: 'throw', text: 'no paper' }, onFail === undefined ? {} : { onFail }), GOOD],
  })

  it('fails its parent, which is never run: the default', async () => {
    const flow = await added(failing())
    const fate = await untilState(queueOf('reports'), flow.id)
    expect(fate).toMatchObject({
      state: 'failed',
      failedReason: `child bull:fleet:${flow.children[0]!.id} failed`,
    })
    expect(await b.client.exists(`gathered:${flow.id}`)).toBe(0)
    expect(await untilState(b.queue, flow.children[1]!.id)).toMatchObject({ returnvalue: 'good' })
  })

  it('fails a parent of its parent too, where both say so', async () => {
    const fate = await ended({ job: 'gather', children: [failing('fail-parent')] })
    expect(fate).toMatchObject({
      state: 'failed',
      failedReason: expect.stringMatching(/^child bull:reports:gather~/),
    })
  })

  it.each<[OnFail, string[]]>([
    ['ignore', ['act failed', 'act completed']],
    ['remove', ['act completed']],
  ])('with %s leaves its parent to run when all are done', async (onFail, seen) => {
    const fate = await ended(failing(onFail))
    expect(fate).toMatchObject({ state: 'completed', attemptsStarted: 1 })
    expect(childrenOf(fate).map(({ name, state }) => `${name} ${state}`)).toEqual(seen)
    expect(childrenOf(fate).find(({ state }) => state === 'failed')?.error).toBe(
      onFail === 'ignore' ? 'no paper' : undefined,
    )
  })

  it('with continue has its parent run at once, and once more when the others are done', async () => {
    const flow = failing('continue')
    flow.children![1] = act({ do: 'gate', key: 'open', value: 'late' })
    const { id } = await added(flow)
    const runs = () => b.client.lrange(`gathered:${id}`, 0, -1)
    const parent = () => queueOf('reports').getJobState(id)
    await expect.poll(parent).toBe('waiting-children')
    await expect.poll(runs).toEqual(['["act failed","act pending"]'])
    await b.open()
    const fate = await untilState(queueOf('reports'), id)
    expect(fate).toMatchObject({ state: 'completed', attemptsMade: 1, attemptsStarted: 2 })
    expect(childrenOf(fate)).toMatchObject([{ error: 'no paper' }, { result: 'late' }])
    expect(await runs()).toEqual(['["act failed","act pending"]', '["act failed","act completed"]'])
  })
})

describe('what is wrong with a flow is told of all its jobs, and nothing is added', () => {
  it.each<[string, unknown, string[]]>([
    [
      'its jobs and payloads',
      {
        job: 'gathr',
        onFail: 'ignore',
        children: [
          { job: 'part', args: { nth: 'one', password: 5 } },
          { job: 'part', args: { nth: 2 } },
          { job: 'part', args: { nth: 3 }, id: '42', children: [{ job: 'nothing-like-it' }] },
        ],
      },
      [
        '  onFail: got "ignore", the root of a flow has no parent',
        '  job: got "gathr", no job is named so: did you mean gather?',
        '  children[0].args.nth: got "one", expected number',
        '  children[0].args.password: got "[Redacted]", expected string',
        '  children[2].id: got "42", BullMQ takes no whole number as an id, those are its own',
        '  children[2].children[0].job: got "nothing-like-it", no job is named so',
      ],
    ],
    [
      'its shape',
      { job: 'gather', children: [{ jbo: 'part', onFail: 'explode', attempts: 0, delay: 'soon' }] },
      [
        '  children[0].job: got nothing, expected string',
        '  children[0].attempts: got 0, Too small: expected number to be >=1',
        '  children[0].delay: got "soon", expected a duration such as 250ms, 30s, 5m, 2h or 1d',
        '  children[0].onFail: got "explode", Invalid option: expected one of "fail-parent"|"ignore"|"remove"|"continue"',
        '  children[0].jbo: got "part", no such field is known',
      ],
    ],
    [
      'an id that two of its jobs have',
      {
        job: 'gather',
        children: [
          { job: 'part', id: 'x', args: { nth: 1 } },
          { job: 'part', id: 'x', args: { nth: 1 } },
        ],
      },
      ['  children[1].id: got "x", this is also children[0].id, on queue parts'],
    ],
    ['its length', { job: 'gather', children: Array.from({ length: 10_000 }, () => ({ job: 'act' })) }, []],
  ])('%s', async (what, flow, lines) => {
    const before = await jobKeys()
    expect(before).toContain('bull:parts:mine')
    const fate = await start(flow)
    const [first, ...rest] = fate.failedReason?.split('\n') ?? []
    expect(first).toBe(
      what === 'its length'
        ? 'RunnerError: the flow is refused: it has more than 10000 jobs; add it in parts'
        : 'RunnerError: the flow is refused',
    )
    expect(rest).toEqual(lines)
    expect(await jobKeys()).toEqual(before)
  })
})
