/** What of a flow is refused before anything is added, beside what a real replica is asked in test/fleet/flow-runs.test.ts. */
import { describe, expect, it } from 'vitest'
import { readFlow, type Flow } from '../../src/job/flow.ts'
import { checkFlow, type FlowJobs } from '../../src/job/flow-check.ts'
import type { JobEntry } from '../../src/job/manifest.ts'

const KINDS: Record<string, JobEntry['kind']> = { page: 'job', move: 'migration', odd: 'job' }
const jobs: FlowJobs = {
  names: () => Object.keys(KINDS),
  entryOf: name => {
    const kind = KINDS[name]
    return kind === undefined ? undefined : { name, file: '', kind, queue: 'default' }
  },
  // A schema that throws, say: nobody knows which field it was.
  check: async (name, payloads) =>
    payloads.map(() => (name === 'odd' ? { message: 'its thread ended' } : null)),
}
const check = async (flow: unknown, redact: string[] = []) => checkFlow(readFlow(flow, redact), jobs, redact)
const below = (depth: number): Flow =>
  depth === 1 ? { job: 'page' } : { job: 'page', children: [below(depth - 1)] }

it('gives each job as it is added: payload as JSON text, delay in milliseconds', async () => {
  const child = { job: 'page', args: { a: undefined, b: 1 }, delay: '2s', queue: 'q', onFail: 'remove' }
  expect(await check({ job: 'move', id: 'm-1', children: [child] })).toEqual({
    name: 'move',
    payload: '{}',
    options: { id: 'm-1' },
    children: [
      {
        name: 'page',
        payload: '{"b":1}',
        options: { delay: 2_000, queue: 'q' },
        onFail: 'remove',
        children: [],
      },
    ],
  })
})

describe('refuses', () => {
  const ring: Flow = { job: 'page' }
  ring.children = [ring]
  const wide: Flow = { job: 'page', children: Array.from({ length: 9_000 }, () => ({ job: 'page' })) }
  const long = { job: 'page', args: { text: 'x'.repeat(2 ** 20 - 100) } }

  it.each<[string, unknown, string]>([
    ['101 levels', below(101), 'the flow is refused: its jobs are in more than 100 levels'],
    ['a ring', ring, 'the flow is refused: its jobs are in more than 100 levels'],
    [
      '10,001 jobs',
      { job: 'page', children: [wide, ...wide.children!.slice(0, 1_000)] },
      'the flow is refused: it has more than 10000 jobs; add it in parts',
    ],
    ['what is no flow', 7, 'the flow is refused\n  (flow): got 7, expected object'],
    [
      'no args that are JSON',
      { job: 'page', args: { n: 1n } },
      'the flow is refused\n  args: got a object, not JSON: Do not know how to serialize a BigInt',
    ],
    [
      'a migration that is waited for',
      { job: 'page', children: [{ job: 'move' }] },
      'the flow is refused\n  children[0].job: got "move", a migration can only be the root: its job is over when its run has begun',
    ],
    [
      'more than 16 MiB',
      { job: 'page', children: Array.from({ length: 17 }, () => long) },
      'the flow is refused: its payloads are 17824281 bytes of JSON in all, 16777216 are allowed; store them elsewhere and add their places',
    ],
    [
      'a payload for a reason that names no field',
      { job: 'odd', args: { card: { number: 4 } } },
      'the flow is refused\n  args: got {"card":{"number":"[Redacted]"}}, its thread ended',
    ],
  ])('%s', async (_what, flow, message) => {
    await expect(check(flow, ['card.number'])).rejects.toMatchObject({ code: 'FLOW_INVALID', message })
  })

  it('shows 20 faults and counts the others, which the details have', async () => {
    const children = Array.from({ length: 25 }, (_, i) => ({ job: `none-${i}` }))
    const error = await check({ job: 'page', children }).catch(
      (reason: unknown) => reason as Error & { details: unknown[] },
    )
    const lines = (error as Error).message.split('\n')
    expect([lines.length, lines[20], lines[21]]).toEqual([
      22,
      '  children[19].job: got "none-19", no job is named so',
      '  and 5 more',
    ])
    expect((error as { details: unknown[] }).details).toHaveLength(25)
  })
})

it('takes 100 levels and 10,000 jobs', async () => {
  await expect(check(below(100))).resolves.toMatchObject({ name: 'page' })
  const children = Array.from({ length: 9_999 }, () => ({ job: 'page' }))
  expect((await check({ job: 'page', children })).children).toHaveLength(9_999)
})
