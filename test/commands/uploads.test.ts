/** Files as an operator meets them: `enqueue --file`, `uploads list`, `uploads sweep`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FileRef } from '../../src/file-ref.ts'
import { project, type Project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { runner } from '../helpers/runner.ts'

const FILES = {
  'jobs/import-users.ts': `
    import { job, file } from 'bullmq-runner'
    import { z } from 'zod'
    export default job({
      queue: 'imports',
      args: z.object({
        users: file({ types: ['text/csv'], maxBytes: '1KiB' }),
        photos: z.array(file()).default([]),
        to: z.string().default('ada'),
      }),
      run() {},
    })`,
  'jobs/plain.ts': 'export default () => 1',
  'users.csv': 'name,email\nAda,ada@example.com\n',
  'photo.png': 'no image at all',
}

let redis: TestRedis
let dir: Project
let queue: Queue
beforeAll(async () => {
  redis = await startRedis()
  dir = project(FILES)
  queue = new Queue('imports', { connection: redis.client() })
})
afterAll(async () => {
  await queue.close()
  dir[Symbol.dispose]()
  await redis.stop()
})

const call = (...args: string[]) => runner(args, { cwd: dir.dir, env: { REDIS_URL: redis.url } })
const filesThere = () =>
  existsSync(dir.path('.runner/uploads'))
    ? readdirSync(dir.path('.runner/uploads'), { recursive: true, withFileTypes: true }).filter(e =>
        e.isFile(),
      )
    : []

describe('enqueue --file', () => {
  it('stores nothing that it refuses or only shows', async () => {
    const refused = await call('enqueue', 'import-users', '--file', 'users=./users.csv', '--data', '{"to":1}')
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('to: got 1')])
    const dry = await call('enqueue', 'import-users', '--file', 'users=./users.csv', '--dry-run', '--json')
    expect(JSON.parse(dry.stdout)).toMatchObject({
      payload: { users: { name: 'users.csv', bytes: 31, type: 'text/csv' } },
    })
    const { stdout: help } = await call('enqueue', 'import-users', '--help')
    expect(help).toContain('--file users=<path>  text/csv, at most 1024 bytes, required')
    expect(help).not.toContain('--users.')
    // Of a job that takes none it is a field like any other.
    const plain = await call('enqueue', 'plain', '--file', './a.txt', '--dry-run', '--json')
    expect(JSON.parse(plain.stdout)).toMatchObject({ payload: { file: './a.txt' } })
    expect(filesThere()).toEqual([])
    expect(await queue.count()).toBe(0)
    expect(await redis.client().exists('bull:runner:files')).toBe(0)
  })

  it('stores them, and the job refers to them; they are listed, and swept when it is gone', async () => {
    const photos = ['--file', 'photos=./photo.png', '--file', 'photos=./users.csv']
    const added = await call('enqueue', 'import-users', '--file', 'users=./users.csv', ...photos, '--json')
    const { id } = JSON.parse(added.stdout) as { id: string }
    const { data } = (await queue.getJob(id)) as { data: { users: FileRef; photos: FileRef[] } }
    expect(readFileSync(dir.path(`.runner/${data.users.$file}`), 'utf8')).toBe(FILES['users.csv'])
    expect(data.photos.map(({ name }) => name)).toEqual(['photo.png', 'users.csv'])
    expect(filesThere()).toHaveLength(3)
    const listed = await call('uploads', 'list', '--json')
    expect(JSON.parse(listed.stdout)).toContainEqual({
      file: data.users.$file,
      bytes: 31,
      storedAt: expect.any(Number),
      jobs: [{ queue: 'imports', id }],
    })
    expect((await call('uploads', 'list')).stdout).toContain(`imports:${id}`)
    // An id that is taken: nothing is added, and nothing is left of the file.
    const again = await call('enqueue', 'import-users', '--file', 'users=./users.csv', '--id', id)
    expect(again.stdout).toContain('nothing was added')
    expect(filesThere()).toHaveLength(3)
    expect(await redis.client().zcard('bull:runner:files')).toBe(3)
    await (await queue.getJob(id))!.remove()
    // They were written down just now: their job might still be on its way.
    expect((await call('uploads', 'sweep')).stdout).toContain('removed 0 files')
    const client = redis.client()
    const uses = await client.zrange('bull:runner:files', '0', '-1')
    await client.del('bull:runner:files')
    for (const use of uses) await client.zadd('bull:runner:files', '0', use.replace(/ \d+ /, ' 1 '))
    const dry = await call('uploads', 'sweep', '--dry-run', '--json')
    expect(JSON.parse(dry.stdout)).toMatchObject({ removed: 3, dryRun: true })
    expect(filesThere()).toHaveLength(3)
    expect((await call('uploads', 'sweep')).stdout).toContain('removed 3 files')
    expect(filesThere()).toEqual([])
    expect((await call('uploads', 'list')).stdout).toContain('no file is in dir:')
  })
})
