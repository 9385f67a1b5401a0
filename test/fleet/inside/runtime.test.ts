/** The inside of an executor without one: records in, records out. */
import { describe, expect, it } from 'vitest'
import { Runtime } from '../../../src/fleet/inside/runtime.ts'
import { FROM, TO, readRecord, record, type Failure } from '../../../src/fleet/protocol.ts'
import { discover } from '../../../src/job/discover.ts'
import { project } from '../../helpers/project.ts'

/** Runs one job of these files, named `act`, and returns how it ended and what it said before. */
async function ended(files: Record<string, string>, payload = '{}') {
  using dir = project(files)
  const end = Promise.withResolvers<{ kind: string; body: string }>()
  const progress: unknown[] = []
  const init = { files: discover(['jobs'], dir.dir).files, logLevel: 'silent', redact: [], memory: 0 }
  const runtime = new Runtime(init, text => {
    const { kind, body = '' } = readRecord(text)
    if (kind === FROM.progress) progress.push(JSON.parse(body))
    if (kind === FROM.done || kind === FROM.failed) end.resolve({ kind, body })
  })
  await runtime.load(init)
  runtime.onRecord(record(TO.start, JSON.stringify([1, 'act', '1', 'default', 1, 1]), payload))
  const { kind, body } = await end.promise
  const failure = kind === FROM.failed ? (JSON.parse(body) as Failure) : undefined
  return { failure, result: body, progress }
}

const STRICT = `import { job } from 'bullmq-runner'
import { z } from 'zod'
export default job({ args: z.object({ a: z.number() }), run: () => 1 })`

describe('what no retry can mend', () => {
  it('is a payload that the schema of the job refuses', async () => {
    const { failure } = await ended({ 'jobs/act.ts': STRICT }, '{"a":"no"}')
    expect(failure).toMatchObject({ code: 'ARGS_INVALID', final: true })
  })

  it('is a result that is not JSON', async () => {
    const { failure } = await ended({ 'jobs/act.ts': 'export default () => 1n' })
    expect(failure).toMatchObject({ code: 'JOB_RESULT_INVALID', final: true })
  })

  it('is not a payload that another job refuses at enqueue', async () => {
    const { failure } = await ended({
      'jobs/other.ts': STRICT,
      'jobs/act.ts': `export default ctx => ctx.enqueue('other', { a: 'no' })`,
    })
    expect(failure).toMatchObject({ code: 'ARGS_INVALID' })
    expect(failure).not.toHaveProperty('final')
  })
})

it('progress that is not JSON fails the run that said it, with what it said before', async () => {
  const { failure, progress } = await ended({
    'jobs/act.ts': 'export default ctx => { ctx.progress(1); ctx.progress(2); ctx.progress(3n) }',
  })
  expect(failure?.message).toMatch(/BigInt/)
  expect(progress).toEqual([{ done: 1 }, { done: 2 }])
})
