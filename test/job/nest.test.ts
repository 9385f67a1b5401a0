/** An application as a loader thread and an executor load it, without either. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadAll, loadFile, type LoadedFile } from '../../src/job/load.ts'
import type { JobFile } from '../../src/job/manifest.ts'
import { inside } from '../helpers/inside.ts'

const APP = fileURLToPath(new URL('../fixtures/nest-app/', import.meta.url))
const application = (name: string): JobFile => ({
  name,
  file: join(APP, `${name}.module.js`),
  kind: 'application',
})

const silent = () => undefined
const logger = { log: silent, error: silent, warn: silent }
/** Of a replica that works the queues that its jobs name. */
const start = { logger, isWorked: (queue: string, named: ReadonlySet<string>) => named.has(queue) }

const journal = join(tmpdir(), `nest-app-${process.pid}.log`)
const told = () => (existsSync(journal) ? readFileSync(journal, 'utf8').trim().split('\n') : [])
beforeEach(() => void (process.env['NEST_APP_LOG'] = journal))
afterEach(() => {
  delete process.env['NEST_APP_LOG']
  delete process.env['NEST_APP_QUEUE']
  rmSync(journal, { force: true })
})

const refusal = async (loading: Promise<unknown>): Promise<unknown> => {
  const { code, message, hint } = (await loading.then(
    () => ({}),
    (error: unknown) => error,
  )) as { code?: string; message?: string; hint?: string }
  return [code, message, hint]
}

it('tells handlers, options and schemas without making one instance', async () => {
  const { jobs, close } = await loadFile(application('app'))
  expect(jobs.map(({ entry }) => entry)).toEqual([
    {
      name: 'send-email',
      file: join(APP, 'app.module.js'),
      kind: 'job',
      queue: 'mail',
      queueNamed: true,
      attempts: 3,
      timeout: 30_000,
      schema: expect.objectContaining({ required: ['to'] }),
    },
    { name: 'audit', file: join(APP, 'app.module.js'), kind: 'job', queue: 'audits', queueNamed: true },
  ])
  expect(close).toBeUndefined()
  expect(told()).toEqual([])
})

describe('started', () => {
  let loaded: LoadedFile
  const run = (name: string, args: unknown) => {
    const { run: handler } = loaded.jobs.find(({ entry }) => entry.name === name)!
    const { ctx } = inside()
    return (handler as (ctx: object) => unknown)(Object.assign(ctx, { args }))
  }

  it('injects into handlers, makes one of a request for each run, and runs the hooks of its end', async () => {
    loaded = await loadFile(application('app'), { start })
    expect(told()).toEqual(['Mailer was made', 'onModuleInit'])
    expect(await run('send-email', { to: 'ada@example.com', template: 'welcome' })).toEqual({
      sent: 'welcome to ada@example.com',
      attempt: 1,
    })
    const first = await run('audit', {})
    expect(first).toEqual({ runs: 1, isItsOwn: true, mailer: 'act to audit' })
    expect(await run('audit', {})).toEqual(first)
    expect(told()).toHaveLength(2)
    await loaded.close?.()
    expect(told().slice(2)).toEqual(['onModuleDestroy', 'onApplicationShutdown'])
  })
})

it('is announced before each of its steps: the import, the reading and the start have a time of their own', async () => {
  const steps: unknown[] = []
  const announce = async ({ name }: JobFile) => void steps.push([name, ...told()])
  const { close } = await loadAll([application('app')], [], { start, announce })
  expect(steps).toEqual([['app'], ['app'], ['app']])
  expect(told()).toEqual(['Mailer was made', 'onModuleInit'])
  await close()
})

it('runs handlers that are transient, of a request by their provider alone, or controllers', async () => {
  const { jobs, close } = await loadFile(application('scopes'), { start })
  const runs = (name: string) => {
    const handler = jobs.find(({ entry }) => entry.name === name)?.run as (ctx: object) => unknown
    const { ctx } = inside()
    return Promise.all([handler(ctx), handler(ctx)])
  }
  expect(await runs('passing')).toEqual([1, 1])
  expect(await runs('tenant')).toEqual([1, 1])
  expect(await runs('web')).toEqual([
    [1, true],
    [1, true],
  ])
  await close?.()
})

describe('refused', () => {
  it('where a processor of its own would take jobs of the fleet: before anything is started', async () => {
    expect(await refusal(loadFile(application('contested'), { start }))).toEqual([
      'NEST_QUEUE_CONTESTED',
      expect.stringMatching(
        /contested\.module\.js: OldProcessor is a @Processor of queue mail, which this replica works/,
      ),
      "make its methods handlers by @JobHandler('mail', ...), or leave the queue to it: --queue",
    ])
    expect(told()).toEqual([])
  })

  it('also where only a file in jobs/ names the queue', async () => {
    const file: JobFile = { name: 'clean', file: '/bin/true', kind: 'executable' }
    const asked = new Set<string>()
    const isWorked = (_queue: string, named: ReadonlySet<string>) => {
      for (const queue of named) asked.add(queue)
      return true
    }
    const { manifest } = await loadAll([file, application('contested')], [], { start: { logger, isWorked } })
    expect([...asked].sort()).toEqual(['audits', 'default', 'mail'])
    expect(manifest.broken).toEqual([expect.objectContaining({ code: 'NEST_QUEUE_CONTESTED' })])
  })

  it('with the name of what is missing, of the handler that is there twice, of what is exported', async () => {
    expect(await refusal(loadFile(application('unresolved'), { start }))).toEqual([
      'NEST_APP_FAILED',
      expect.stringMatching(/unresolved\.module\.js: .*resolve dependencies of .*Reports .*DATABASE/),
      undefined,
    ])
    expect(await refusal(loadFile(application('twice')))).toEqual([
      'NEST_APP_FAILED',
      expect.stringContaining(
        'send-email is that of First.run in TwiceModule and of Second.run in TwiceModule',
      ),
      'rename one of the two',
    ])
    expect(await refusal(loadFile(application('two')))).toEqual([
      'NEST_APP_FAILED',
      expect.stringContaining('it exports MailModule, UsersModule: which is the root?'),
      'export one module by default, or as AppModule',
    ])
  })

  it('when its start does not end', async () => {
    expect(await refusal(loadFile(application('hanging'), { start, timeout: 300 }))).toEqual([
      'NEST_APP_FAILED',
      expect.stringMatching(
        /hanging\.module\.js: not started after 300ms: a provider or onModuleInit awaits/,
      ),
      undefined,
    ])
  })

  it('when a job file has the name of one of its handlers, which then is the only one', async () => {
    const file: JobFile = { name: 'audit', file: '/bin/true', kind: 'executable' }
    const { jobs, manifest, close } = await loadAll([file, application('app')], [], { start })
    expect([...jobs.keys()]).toEqual(['audit'])
    expect(manifest.broken).toEqual([
      expect.objectContaining({
        code: 'NEST_APP_FAILED',
        message: expect.stringMatching(/the job name audit is also that of \/bin\/true$/),
      }),
    ])
    await close()
    expect(told().at(-1)).toBe('onApplicationShutdown')
  })
})
