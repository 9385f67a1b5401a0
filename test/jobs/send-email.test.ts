import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Examples, PATIENT, examples } from './examples.ts'

let fleet: Examples
beforeAll(async () => void (fleet = await examples()))
afterAll(() => fleet[Symbol.asyncDispose]())

test('what is misspelt or wrong is refused with a way out, and nothing is in Redis', async () => {
  const typo = await fleet.enqueue('send-emial', '--to', 'ada@example.com')
  expect(typo).toMatchObject({
    code: 6,
    stderr: expect.stringContaining('did you mean send-email?') as string,
  })
  const wrong = await fleet.enqueue('send-email', '--to', 'nobody')
  expect(wrong).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/to: got "nobody", .*email/) as string,
  })
  expect(await fleet.redis.client().dbsize()).toBe(0)
})

test('a second run of a job sends nothing: one file, as the first run left it', async () => {
  await using _ = await fleet.replica()
  const first = await fleet.enqueue('send-email', '--to', 'ada@example.com', '--id', 'hello', '--wait')
  expect(first).toMatchObject({ code: 0, stdout: '{"sent":true}\n' })
  const [name = '', ...others] = readdirSync(fleet.outbox)
  expect(others).toEqual([])
  const text = readFileSync(join(fleet.outbox, name), 'utf8')
  expect(JSON.parse(text)).toMatchObject({ to: 'ada@example.com', template: 'welcome', key: 'mail:hello' })

  const job = await fleet.job('mail', 'hello')
  await job.retry('completed')
  await expect
    .poll(async () => (await fleet.job('mail', 'hello')).returnvalue, PATIENT)
    .toEqual({ sent: false })
  expect(readdirSync(fleet.outbox)).toEqual([name])
  expect(readFileSync(join(fleet.outbox, name), 'utf8')).toBe(text)
})

test('the options of its file are those of the job', async () => {
  await fleet.enqueue('send-email', '--to', 'ada@example.com', '--id', 'options', '--delay', '1h')
  expect((await fleet.job('mail', 'options')).opts).toMatchObject({
    attempts: 5,
    backoff: { type: 'exponential', delay: 1000 },
  })
})
