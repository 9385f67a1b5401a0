/** Whose fault it is when an executor ends while it boots. Real executors: pool.test.ts. */
import { expect, it } from 'vitest'
import { BootWatch } from '../../src/fleet/boot-watch.ts'
import type { ExecutorExit } from '../../src/fleet/port.ts'
import type { JobFile } from '../../src/job/manifest.ts'

const FILE: JobFile = { name: 'a', file: '/project/jobs/a.ts', kind: 'module' }
const EXIT: ExecutorExit = { cause: 'exit', code: 1, message: 'exited with code 1' }

const watch = () => new BootWatch({ files: [FILE], logLevel: 'info', redact: [], memory: 0 }, () => undefined)

it('is that of the file that is being imported', () => {
  const boot = watch()
  boot.loading(FILE)
  expect(boot.blame(EXIT)).toEqual({
    file: FILE.file,
    name: 'a',
    code: 'JOB_IMPORT_FAILED',
    message: '/project/jobs/a.ts: exited with code 1',
  })
})

it('is no file’s before the first, and once it is ready or was ended on purpose', () => {
  const boot = watch()
  expect(boot.blame(EXIT)).toBeUndefined()
  boot.loading(FILE)
  boot.over()
  expect(boot.blame(EXIT)).toBeUndefined()
})

it('is no file’s when the process is killed from outside, as the kernel does when the host lacks memory', () => {
  const boot = watch()
  boot.loading(FILE)
  expect(boot.blame({ cause: 'signal', signal: 'SIGKILL', message: 'was ended by SIGKILL' })).toBeUndefined()
})
