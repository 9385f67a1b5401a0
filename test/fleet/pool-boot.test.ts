/** How executors boot when a job file ends or blocks the one that imports it. */
import { describe, expect, it } from 'vitest'
import { Pool, type PoolOptions } from '../../src/fleet/pool.ts'
import { openProcess } from '../../src/fleet/process-port.ts'
import { openThread } from '../../src/fleet/thread-port.ts'
import { discover } from '../../src/job/discover.ts'
import { bytes } from '../../src/units.ts'
import { project, type Project } from '../helpers/project.ts'

const FINE = 'export default () => 1\n'
/** Without signs of life for this and a second more, an executor is taken for blocked. */
const IMPORT_TIMEOUT = 2_000

const filesOf = ({ dir }: Project) => discover(['jobs'], dir).files

function pool(dir: Project, open: PoolOptions['open']) {
  const init = {
    files: filesOf(dir),
    importTimeout: IMPORT_TIMEOUT,
    logLevel: 'info',
    redact: [],
    memory: bytes('256MiB'),
  }
  const quiet = () => undefined
  const made = new Pool(
    { size: 2, open, init, prefix: 'bull' },
    {
      onProgress: quiet,
      onLog: quiet,
      onMigrated: quiet,
      onLine: quiet,
      onCall: () => Promise.reject(new Error('no job runs here')),
      onStart: quiet,
      onAbandoned: quiet,
      isGlanceDue: () => false,
      onExecutorEnd: quiet,
    },
  )
  return {
    boot: () => made.boot(),
    replace: () => made.replace(filesOf(dir)),
    states: () => made.executors.map(executor => executor.state),
    [Symbol.asyncDispose]: () => made.close('test over'),
  }
}

const shown = (message: string, { dir }: Project) => message.replaceAll(`${dir}/`, '')

describe.each([
  ['thread', openThread],
  ['process', openProcess],
] as const)('in a %s', (_kind, open) => {
  it('a file that blocks, one that exits and one that throws are left out, each with its reason', async () => {
    using dir = project({
      'jobs/a.js': FINE,
      'jobs/exits.js': 'process.exit(3)',
      'jobs/spins.js': 'while (true);',
      'jobs/throws.js': `throw new Error('no database')`,
      'jobs/z.js': FINE,
    })
    await using executors = pool(dir, open)
    const { jobs, broken } = await executors.boot()
    expect(jobs.map(({ name }) => name)).toEqual(['a', 'z'])
    expect(broken.map(({ code, message }) => `${code} ${shown(message, dir)}`)).toEqual([
      'JOB_IMPORT_FAILED jobs/exits.js: called process.exit(3)',
      'JOB_IMPORT_FAILED jobs/spins.js: not loaded after 2s: its top level blocks the thread',
      'JOB_IMPORT_FAILED jobs/throws.js:1: no database',
    ])
  })

  it('a file is blamed for what it left behind, not the one that is imported by then', async () => {
    using dir = project({
      'jobs/a.js': `setTimeout(() => { throw new Error('too late') }, 50)\n${FINE}`,
      'jobs/b.js': `await new Promise(done => setTimeout(done, 1_000))\n${FINE}`,
    })
    await using executors = pool(dir, open)
    const { jobs, broken } = await executors.boot()
    expect(jobs.map(({ name }) => name)).toEqual(['b'])
    expect(broken.map(({ message }) => shown(message, dir))).toEqual([
      'jobs/a.js: threw outside its own promise: too late',
    ])
  })

  it('a change that blocks the new executors is refused by name, and the old ones stay', async () => {
    using dir = project({ 'jobs/a.js': FINE })
    await using executors = pool(dir, open)
    await executors.boot()
    dir.write({ 'jobs/spins.js': 'while (true);' })
    const refused = await executors.replace().catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'JOB_IMPORT_FAILED' })
    expect(shown((refused as Error).message, dir)).toBe(
      'jobs/spins.js: not loaded after 2s: its top level blocks the thread',
    )
    expect(executors.states()).toContain('ready')

    // What could not be loaded once is tried again when it has changed.
    dir.write({ 'jobs/spins.js': FINE })
    const { jobs, broken } = await executors.replace()
    expect(broken).toEqual([])
    expect(jobs.map(({ name }) => name)).toEqual(['a', 'spins'])
  })
})
