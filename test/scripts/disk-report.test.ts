import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Examples, PATIENT, examples } from '../jobs/examples.ts'

let fleet: Examples
beforeAll(async () => {
  fleet = await examples()
  await fleet.replica()
})
afterAll(() => fleet[Symbol.asyncDispose]())

const linesOf = async (id: string) => (await fleet.queue('default').getJobLogs(id)).logs

test('its lines are in the log of the job, and it has read its payload', async () => {
  const folder = join(fleet.folder, 'two words')
  mkdirSync(join(folder, 'inside'), { recursive: true })
  writeFileSync(join(folder, 'inside', 'file'), Buffer.alloc(50_000))
  const { code } = await fleet.enqueue(
    'disk-report',
    '--dir',
    folder,
    '--note',
    'hi',
    '--id',
    'report',
    '--wait',
  )
  expect(code).toBe(0)
  const lines = (await linesOf('report')).join('\n')
  expect(lines).toContain(`job report asks for {"dir":${JSON.stringify(folder)},"note":"hi"}`)
  expect(lines).toMatch(/\d+\t.*two words\/inside/)
  expect(lines).toMatch(/\d+ KiB free, \d+% used/)
})

test('exit code 75 is tried again later', async () => {
  await fleet.enqueue('disk-report', '--dir', join(fleet.folder, 'later'), '--attempts', '2', '--id', 'later')
  await expect.poll(async () => (await fleet.job('default', 'later')).getState(), PATIENT).toBe('delayed')
  const { delay, attemptsMade } = await fleet.job('default', 'later')
  expect({ delay, attemptsMade }).toEqual({ delay: 30_000, attemptsMade: 1 })
})

test('another exit code is a failure, with stderr as its reason', async () => {
  const file = join(fleet.folder, 'file')
  writeFileSync(file, '')
  const ended = await fleet.enqueue('disk-report', '--dir', file, '--wait')
  expect(ended).toMatchObject({
    code: 5,
    stderr: expect.stringContaining(`disk-report: exit code 1: ${file} is not a folder`) as string,
  })
})
