/** `runner serve`, killed in the middle of twenty uploads: each job that is there has its file, and a sweep leaves nothing else. */
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { FileRef } from '../../src/file-ref.ts'
import { openStores } from '../../src/store/stores.ts'
import { openVerified } from '../../src/store/verified.ts'
import { startFakeS3, type FakeS3 } from '../helpers/fake-s3.ts'
import { Upload, form, upload } from '../helpers/multipart.ts'
import { project, type Project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { runner, startRunner } from '../helpers/runner.ts'

const JOB = `
import { file, job } from 'bullmq-runner'
import { z } from 'zod'
export default job({ queue: 'imports', args: z.object({ users: file() }), run() {} })
`
const AWS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }

let redis: TestRedis
let s3: FakeS3
beforeAll(async () => {
  Object.assign(process.env, AWS)
  redis = await startRedis()
  s3 = await startFakeS3()
})
afterAll(async () => {
  await s3[Symbol.asyncDispose]()
  await redis.stop()
})

/** What a store keeps in a folder, temporary files too, or in the bucket, and uploads to it that are not finished. */
function keptIn(dir: Project): { whole: number; begun: number } {
  const folder = dir.path('.runner/uploads')
  const entries = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : []
  const names = entries.filter(entry => entry.isFile()).map(({ name }) => name)
  const parts = names.filter(name => name.endsWith('.part')).length
  return { whole: names.length - parts + s3.objects.size, begun: parts + s3.uploads.size }
}

/** As if all that is written down by now had been long ago. */
async function letTimePass(): Promise<void> {
  const client = redis.client()
  const uses = await client.zrange('bull:runner:files', '0', '-1')
  await client.del('bull:runner:files')
  for (const use of uses) await client.zadd('bull:runner:files', '0', use.replace(/ \d+ /, ' 1 '))
}

const settings = (store: string, orphanAge: string) =>
  `export default ${JSON.stringify({ store, uploads: { orphanAge, concurrent: 100 } })}`

// Of a bucket: more than one part.
it.each([
  ['a folder', 200_000],
  ['a bucket', 5_500_000],
])('leaves nothing in %s', async (kind, size) => {
  await redis.flush()
  const store = kind === 'a bucket' ? s3.place : 'dir:.runner/uploads'
  using dir = project({ 'jobs/import.ts': JOB, 'runner.config.mjs': settings(store, '1d') })
  const options = { cwd: dir.dir, env: { REDIS_URL: redis.url, ...AWS } }
  const { child, ended } = startRunner(['serve', '--http', '127.0.0.1:0'], options)
  const [line] = (await once(createInterface({ input: child.stderr }), 'line')) as [string]
  const { url } = JSON.parse(line) as { url: string }
  const ready = async () => (await fetch(`${url}/readyz`)).status
  await expect.poll(ready, { timeout: 20_000 }).toBe(200)

  const formOf = (bytes: number) =>
    form([{ name: 'users', fileName: 'users.csv', content: Buffer.alloc(bytes, 'a,b\n') }])
  const [small, body] = [formOf(100_000), formOf(size)]
  const sending = { path: '/v1/jobs/import' }
  const answers = await Promise.all(Array.from({ length: 10 }, () => upload(url, small, sending)))
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(202))
  const begun = await Promise.all(Array.from({ length: 10 }, () => Upload.begin(url, body, sending)))
  const most = size - 1_000
  await Promise.all(begun.map(one => one.send(body.subarray(0, most))))
  await expect.poll(() => keptIn(dir), { timeout: 10_000 }).toEqual({ whole: 10, begun: 10 })
  // Some are being finished when it dies: nobody knows which come to be jobs.
  for (const one of begun.slice(0, 5)) one.socket.write(body.subarray(most))
  await Promise.race(begun.slice(0, 5).map(one => one.answer))
  child.kill('SIGKILL')
  await ended
  await Promise.all(begun.map(one => one[Symbol.asyncDispose]()))

  expect(keptIn(dir).begun).toBeGreaterThanOrEqual(5)
  dir.write({ 'runner.config.mjs': settings(store, '1ms') })
  await letTimePass()
  const swept = await runner(['uploads', 'sweep', '--json'], options)
  expect([swept.code, JSON.parse(swept.stdout)]).toEqual([0, expect.objectContaining({ dryRun: false })])

  const imports = new Queue('imports', { connection: redis.client() })
  const jobs = (await imports.getJobs()) as { data: { users: FileRef } }[]
  await imports.close()
  expect(jobs.length).toBeGreaterThanOrEqual(11)
  expect(keptIn(dir)).toEqual({ whole: jobs.length, begun: 0 })
  await using stores = openStores({ cwd: dir.dir, store, stores: {} })
  for (const { data } of jobs) {
    // To its end: its hash is that which the job has.
    const bytes = await buffer(await openVerified(stores, data.users, new AbortController().signal))
    expect([100_000, size]).toContain(bytes.length)
  }
})
