/** `ctx.file()` in executors, as handlers see it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FileRef } from '../../src/file-ref.ts'
import { takeIn } from '../../src/store/intake.ts'
import { openStores, type Stores } from '../../src/store/stores.ts'
import { EITHER_KIND, bench, untilState, type Bench } from '../helpers/fleet.ts'
import { project, type Project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

const JOB = `
  import { job, file } from 'bullmq-runner'
  import { z } from 'zod'
  export default job({
    queue: 'fleet',
    args: z.object({ users: file({ types: ['text/csv'] }), hold: z.boolean().default(false), left: z.boolean().default(false) }),
    timeout: '2s',
    async run({ args, file, log }) {
      let bytes = 0
      const stream = await file(args.users)
      if (args.left) {
        globalThis.left = stream
        return
      }
      if (args.hold)
        return new Promise(resolve => stream.once('error', ({ code }) => resolve(log('ended by ' + code))))
      for await (const chunk of stream) bytes += chunk.length
      return { bytes, ended: stream.readableEnded, isLeftClosed: globalThis.left?.destroyed }
    },
  })`

let redis: TestRedis
let dir: Project
let stores: Stores
beforeAll(async () => {
  redis = await startRedis()
  dir = project({ 'jobs/count.ts': JOB })
  stores = openStores({ cwd: dir.dir, store: 'dir:.runner/uploads', stores: {} })
})
afterAll(async () => {
  dir[Symbol.dispose]()
  await redis.stop()
})

const BYTES = Buffer.alloc(300_000, 'a,b\n')
const stored = (): Promise<FileRef> =>
  takeIn(stores.uploads, Readable.from([BYTES]), { fileName: 'users.csv' })

describe.each(EITHER_KIND)('in a %s', isolation => {
  let b: Bench
  let replica: Replica
  beforeAll(async () => {
    b = await bench(redis)
    const args = ['--isolation', isolation, '--executors', '1', '--queue', 'fleet']
    replica = await Replica.start({ redis, args, cwd: dir.dir, jobs: join(dir.dir, 'jobs') })
  })
  afterAll(async () => {
    await replica[Symbol.asyncDispose]()
    await b[Symbol.asyncDispose]()
  })

  const run = async (users: FileRef, more: object = {}, opts: object = {}) => {
    const { id } = await b.queue.add('count', { users, ...more }, opts)
    return untilState(b.queue, id)
  }

  it('closes one that its handler has left unread', async () => {
    const ref = await stored()
    expect(await run(ref, { left: true })).toMatchObject({ state: 'completed' })
    expect(await run(ref)).toMatchObject({ returnvalue: { bytes: 300_000, isLeftClosed: true } })
  })

  it('gives all bytes, and refuses those of another file, a missing one, and what is no reference', async () => {
    const ref = await stored()
    expect(await run(ref)).toMatchObject({ state: 'completed', returnvalue: { bytes: 300_000, ended: true } })
    const at = join(dir.dir, '.runner', ref.$file)
    writeFileSync(at, Buffer.alloc(300_000, 'a;b\n'))
    expect(await run(ref)).toMatchObject({
      state: 'failed',
      failedReason: `RunnerError: ${ref.$file} (users.csv) is not what was stored: its hash is another`,
    })
    writeFileSync(at, BYTES.subarray(4))
    expect((await run(ref)).failedReason).toContain('it has 299996 bytes and had 300000')
    await stores.uploads.store.remove(stores.of(ref).key)
    expect((await run(ref)).failedReason).toContain('there is no file')
    expect((await run({ ...ref, $file: ref.$file.replace('uploads', 'old') })).failedReason).toContain(
      'this project has no store old',
    )
    // Refused by the schema, before the handler: that is not tried again.
    expect(await run({ ...ref, $file: '../../etc/passwd' }, {}, { attempts: 3 })).toMatchObject({
      state: 'failed',
      attemptsMade: 1,
      failedReason: expect.stringContaining('users.$file') as unknown,
    })
  })

  it('ends the stream with the signal', async () => {
    const { id } = await b.queue.add('count', { users: await stored(), hold: true })
    // The handler returned within the grace that it has after its timeout.
    expect(await untilState(b.queue, id)).toMatchObject({ state: 'completed' })
    expect((await b.queue.getJobLogs(id as string)).logs).toEqual(['INFO ended by timeout'])
  })
})
