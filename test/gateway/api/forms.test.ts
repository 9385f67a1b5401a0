/** Forms as jobs: which files are kept, which are removed again, and which cannot be named. */
import { randomUUID } from 'node:crypto'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { FileRef } from '../../../src/file-ref.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'
import { served, type Served } from './served.ts'

let redis: TestRedis
let api: Served
let jobs: Queue
let fields: Record<string, unknown> = {}
/** Of each form: where its file is, and whether it still is. */
let forms: { $file: string; isThere: boolean }[] = []
beforeAll(async () => {
  redis = await startRedis()
  jobs = new Queue('default', { connection: redis.client() })
  api = await served({
    url: redis.url,
    receive: async () => {
      const form = { $file: `uploads/2026/01/02/${randomUUID()}`, isThere: true }
      forms.push(form)
      const { $file } = form
      const photo: FileRef = { $file, sha256: 'a'.repeat(64), bytes: 1, type: 'image/png', name: 'a.png' }
      return { fields, files: { photo }, discard: async () => void (form.isThere = false) }
    },
  })
})
afterAll(async () => {
  await jobs.close()
  await api[Symbol.asyncDispose]()
  await redis.stop()
})
beforeEach(async () => {
  await redis.flush()
  fields = {}
  forms = []
})

const send = (query = '', headers: Record<string, string> = {}) =>
  api.ask('POST', `/v1/jobs/any${query}`, { form: true, headers })
const fileOf = async (id: unknown) =>
  ((await jobs.getJob(String(id)))?.data as { photo: FileRef } | undefined)?.photo.$file

it('lets no text of a form name a stored file', async () => {
  fields = { other: [{ deep: { $file: 'uploads/x' } }] }
  expect((await send()).body).toMatchObject({ status: 422, code: 'FILE_REFUSED' })
  expect(forms.map(({ isThere }) => isThere)).toEqual([false])
  expect(await redis.client().dbsize()).toBe(0)
})

it('keeps no file that came for an id which is taken', async () => {
  expect((await send('?id=order-1')).body).toMatchObject({ id: 'order-1', added: true })
  expect((await send('?id=order-1')).body).toMatchObject({ id: 'order-1', added: false })
  expect(forms.map(({ isThere }) => isThere)).toEqual([true, false])
  expect(await fileOf('order-1')).toBe(forms[0]!.$file)
  // Nor is it known to be used, which would be looked at for as long as the job is there.
  expect(await redis.client().zcard('bull:runner:files')).toBe(1)
})

it('keeps the files of a try that has said what it is about to do: the next one goes on with them', async () => {
  const { keys } = await api.reach.now()
  const begin = keys.begin.bind(keys)
  keys.begin = async (...of) => {
    const begun = await begin(...of)
    if (begun.state !== 'begun') return begun
    const intend = async (json: string) => {
      await begun.turn.intend(json)
      throw new Error('the connection was lost')
    }
    return { state: 'begun', turn: { ...begun.turn, intend } }
  }
  const headers = { 'idempotency-key': 'k' }
  expect((await send('', headers)).status).toBe(500)
  keys.begin = begin
  const { status, body } = await send('', headers)
  expect(status).toBe(202)
  expect(await fileOf(body['id'])).toBe(forms[0]!.$file)
  expect(forms.map(({ isThere }) => isThere)).toEqual([true, false])
})
