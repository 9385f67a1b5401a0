import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Examples, examples } from './examples.ts'

let fleet: Examples
beforeAll(async () => void (fleet = await examples()))
afterAll(() => fleet[Symbol.asyncDispose]())

test("a processor of BullMQ's sandbox runs as it is: data, progress, log and result", async () => {
  const file = join(fleet.folder, 'text')
  writeFileSync(file, 'one two\n\n  three\n'.repeat(10_000))
  await using _ = await fleet.replica()
  const ended = await fleet.enqueue('word-count', '--file', file, '--id', 'count', '--wait')
  expect(ended).toMatchObject({ code: 0, stdout: '{"lines":30000,"words":30000}\n' })
  expect((await fleet.job('default', 'count')).progress).toBe(100)
  const { logs } = await fleet.queue('default').getJobLogs('count')
  expect(logs).toEqual([expect.stringContaining(`${file}: 30000 lines, 30000 words`)])
})
