/** Handlers of an application, for what adds jobs and for what lists them. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openFlowJobs } from '../../src/commands/enqueue/flow-jobs.ts'
import { resolveConfig } from '../../src/config.ts'
import { jobFiles } from '../../src/enqueue/job-files.ts'
import { openJob } from '../../src/enqueue/job-target.ts'

const configOf = (nest: string) =>
  resolveConfig({
    cwd: fileURLToPath(new URL('../fixtures/nest-app', import.meta.url)),
    env: { RUNNER_NEST: nest },
    flags: {},
  })

it('are told when a name is of none of them, nor of a job file', async () => {
  const unknown = await openJob(await configOf('twice.module.js'), 'send-mail').catch(
    (error: unknown) => error,
  )
  expect(unknown).toMatchObject({ code: 'NEST_APP_FAILED' })
  const none = await openJob(await configOf('app.module.js'), 'send-mail').catch((error: unknown) => error)
  expect(none).toMatchObject({
    code: 'JOB_UNKNOWN',
    hint: expect.stringMatching(/did you mean send-email\?.*audit/),
  })
})

it('are found by their names, with the options and the schema that payloads are checked by', async () => {
  const flow = { job: 'audit', children: [{ job: 'send-email' }] }
  await using jobs = await openFlowJobs(await configOf('app.module.js'), flow)
  expect(jobs.entryOf('send-email')).toMatchObject({ queue: 'mail', attempts: 3, kind: 'job' })
  const verdicts = await jobs.check('send-email', ['{"to":"ada@example.com"}', '{"to":"ada"}'])
  expect(verdicts).toEqual([
    null,
    expect.objectContaining({ message: expect.stringContaining('send-email') }),
  ])
  expect([...jobs.names()]).toEqual(['send-email', 'audit'])
})

it('are of a file that must be there', async () => {
  const config = await configOf('dist/app.module.js')
  expect(() => jobFiles(config)).toThrow(/--nest: no file dist\/app\.module\.js in/)
})
