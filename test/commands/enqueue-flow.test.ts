/** `runner enqueue --flow`. */
import { Readable } from 'node:stream'
import { FlowProducer, Worker, type Job } from 'bullmq'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { refuseBesides } from '../../src/commands/enqueue/flow.ts'
import { readFlowInput } from '../../src/commands/enqueue/flow-input.ts'
import { openFlowJobs } from '../../src/commands/enqueue/flow-jobs.ts'
import { placed } from '../../src/commands/enqueue/flow-queues.ts'
import type { EnqueueFlags } from '../../src/commands/enqueue/options.ts'
import { resolveConfig } from '../../src/config.ts'
import type { CheckedFlow } from '../../src/job/flow-check.ts'
import type { JobEntry } from '../../src/job/manifest.ts'
import type { Replica } from '../../src/redis/replicas.ts'
import { startPeer, type EnqueuePeer } from './enqueue-peer.ts'

let peer: EnqueuePeer
beforeAll(async () => {
  peer = await startPeer()
})
afterAll(() => peer[Symbol.asyncDispose]())
beforeEach(() => peer.redis.flush())

const FLOW = {
  job: 'plain',
  args: { of: 2 },
  id: 'monthly',
  children: [
    { job: 'send-email', args: { to: 'ada@example.com' }, onFail: 'ignore' },
    { job: 'reindex', args: { full: true }, queue: 'slow', children: [{ job: 'plain' }] },
  ],
}
/** Which letters and digits a flow has in its ids is chance. */
const plainly = (text: string) => text.replaceAll(/~[0-9a-z]{10}~/g, '~~')

describe('a flow', () => {
  test('is added with all of its jobs, once', async () => {
    peer.dir.write({ 'flow.json': JSON.stringify(FLOW, null, 2) })
    const { code, stdout, stderr } = await peer.enqueue(['--flow', '@flow.json', '--json'])
    expect({ code, stderr, json: JSON.parse(plainly(stdout)) as unknown }).toEqual({
      code: 0,
      stderr: 'noise at import\n',
      json: {
        id: 'monthly',
        name: 'plain',
        queue: 'default',
        added: true,
        children: [
          { id: 'send-email~~1', name: 'send-email', queue: 'mail', children: [] },
          {
            id: 'reindex~~2',
            name: 'reindex',
            queue: 'slow',
            children: [{ id: 'plain~~3', name: 'plain', queue: 'default', children: [] }],
          },
        ],
      },
    })
    expect(await peer.jobsOf('mail')).toMatchObject([
      {
        name: 'send-email',
        data: { to: 'ada@example.com' },
        opts: { attempts: 5, priority: 3, ignoreDependencyOnFailure: true, removeOnFail: false },
      },
    ])
    const flows = new FlowProducer({ connection: peer.redis.client() })
    const tree = await flows.getFlow({ queueName: 'default', id: 'monthly' })
    const names = tree.children?.map(({ job, children = [] }) => [
      job.name,
      ...children.map(one => one.job.name),
    ])
    expect(names?.sort()).toEqual([['reindex', 'plain'], ['send-email']])
    expect(await tree.job.getState()).toBe('waiting-children')

    const before = await peer.keys()
    expect(await peer.enqueue(['--flow', '-'], JSON.stringify(FLOW))).toMatchObject({
      code: 0,
      stdout: 'plain monthly is on queue default already: nothing was added\n',
    })
    expect((await peer.keys()).sort()).toEqual(before.sort())
  })

  test('is waited for until its root has ended', async () => {
    const results = async (job: Job) => Object.values(await job.getChildrenValues()).concat(job.name)
    const connection = peer.redis.client()
    const workers = ['default', 'mail'].map(name => new Worker(name, results, { connection }))
    const flow = { job: 'plain', children: [{ job: 'send-email', args: { to: 'ada@example.com' } }] }
    const { code, stdout, stderr } = await peer.enqueue(['--flow', JSON.stringify(flow), '--wait'])
    expect({ code, stdout, lines: plainly(stderr).split('\n') }).toEqual({
      code: 0,
      stdout: '[["send-email"],"plain"]\n',
      lines: [
        'noise at import',
        'enqueued a flow of 2 jobs',
        'plain plain~~0 on queue default',
        '└─ send-email send-email~~1 on queue mail',
        '',
      ],
    })
    await Promise.all(workers.map(worker => worker.close()))
  })

  test('is shown as it would be with --dry-run, and not added', async () => {
    const { code, stdout } = await peer.enqueue([
      '--flow',
      JSON.stringify(FLOW),
      '--dry-run',
      '--redact',
      'of',
    ])
    expect({ code, lines: stdout.split('\n') }).toEqual({
      code: 0,
      lines: [
        'would enqueue a flow of 4 jobs',
        'plain on queue default {"of":"[Redacted]"}',
        '├─ send-email on queue mail {"to":"ada@example.com"}',
        '└─ reindex on queue slow {"full":true}',
        '   └─ plain on queue default {}',
        '',
      ],
    })
    expect(await peer.keys()).toEqual([])
  })
})

describe('is refused, and nothing is added:', () => {
  test('all that is wrong with a flow', async () => {
    const children = [
      { job: 'send-email', args: { to: 'nobody' } },
      { job: 'plain', id: '7' },
    ]
    const flow = JSON.stringify({ job: 'plian', children })
    const { code, stdout, stderr } = await peer.enqueue(['--flow', flow])
    expect({ code, stdout, lines: stderr.split('\n') }).toEqual({
      code: 2,
      stdout: '',
      lines: [
        'noise at import',
        'error: the flow is refused',
        '  job: got "plian", no job is named so: did you mean plain?',
        '  children[0].args.to: got "nobody", Invalid email address',
        '  children[1].id: got "7", BullMQ takes no whole number as an id, those are its own',
        '',
      ],
    })
    expect(await peer.keys()).toEqual([])
  })

  test('a flow with a job whose file is broken', async () => {
    const config = await resolveConfig({ cwd: peer.dir.dir, env: {}, flags: {} })
    const flow = { job: 'plain', children: [{ job: 'broken' }] }
    await expect(openFlowJobs(config, flow)).rejects.toMatchObject({
      code: 'JOB_IMPORT_FAILED',
      message: expect.stringMatching(/jobs\/broken\.ts:1: no database$/) as string,
    })
    await expect(openFlowJobs(config, { job: 'twin' })).rejects.toMatchObject({ code: 'JOB_DUPLICATE' })
  })

  test.each([
    ['{"job":', '--flow is not JSON: Unexpected end of JSON input, got "{\\"job\\":"'],
    ['@nowhere.json', '--flow: file nowhere.json does not exist'],
    ['-', '--flow: stdin is not JSON: it is empty'],
  ])('what is no flow: %s', async (given, message) => {
    const reading = readFlowInput(given, [], Readable.from([' ']))
    await expect(reading).rejects.toMatchObject({ code: 'USAGE', message })
  })

  test('a job, or anything said of one, beside the flow', async () => {
    expect(await peer.enqueue(['plain', '--flow', '{"job":"plain"}'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: plain does not go with --flow\nhint: /) as string,
    })
    const flags: EnqueueFlags = { schema: true, flow: '{}' }
    expect(() => refuseBesides([], { ...flags, wait: true, timeout: '1s' })).not.toThrow()
    for (const name of ['data', 'queue', 'delay', 'priority', 'attempts', 'id', 'dedupe'])
      expect(() => refuseBesides([], { ...flags, [name]: 'x' })).toThrow(`--${name} does not go with --flow`)
    expect(() => refuseBesides([], { ...flags, schema: false })).toThrow(
      '--no-schema does not go with --flow',
    )
    expect(() => refuseBesides(['--to', 'x'], flags)).toThrow('--to does not go with --flow')
  })
})

test('a job whose file names no queue goes where live replicas work it, as without a flow', () => {
  const node = (name: string, queue?: string, children: CheckedFlow[] = []): CheckedFlow => ({
    name,
    payload: '{}',
    options: queue === undefined ? {} : { queue },
    children,
  })
  const entryOf = (name: string): JobEntry => ({
    name,
    file: '',
    kind: 'job',
    queue: name === 'mail' ? 'mails' : 'default',
    ...(name === 'mail' && { queueNamed: true }),
  })
  const live = [
    { id: 'r-1', queues: { fast: 1 }, jobs: ['report', 'mail'], quiet: false },
  ] as unknown as Replica[]
  const notes: string[] = []
  const flow = node('report', undefined, [node('mail'), node('report'), node('other', 'fats')])
  const of = placed(flow, entryOf, live, line => notes.push(line))
  expect(['report', 'mail', 'other'].map(name => of(name).queue)).toEqual(['fast', 'mails', 'default'])
  expect(notes).toEqual([
    expect.stringContaining('report goes to fast, which r-1 works') as string,
    'nobody is known to work queue fats: did you mean fast?',
  ])
})
