/** Whose fault it is when an executor ends while it boots. Real executors: pool.test.ts. */
import { expect, it, vi } from 'vitest'
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

it('counts from the last sign of life, and says of an application that any of it may block', () => {
  vi.useFakeTimers()
  const blocked = vi.fn<() => void>()
  const file: JobFile = {
    name: 'dist/app.module.js',
    file: '/project/dist/app.module.js',
    kind: 'application',
  }
  const boot = new BootWatch({ files: [file], logLevel: 'info', redact: [], memory: 0 }, blocked)
  boot.loading(file)
  vi.advanceTimersByTime(29_000)
  boot.loading(file)
  vi.advanceTimersByTime(29_000)
  expect(blocked).not.toHaveBeenCalled()
  vi.advanceTimersByTime(2_000)
  expect(blocked).toHaveBeenCalledOnce()
  expect(boot.blame(EXIT)?.message).toBe(
    '/project/dist/app.module.js: not loaded after 30s: a module or a provider blocks the thread',
  )
  vi.useRealTimers()
})
