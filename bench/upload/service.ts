/** `runner serve` with a Redis, in a project of one job that takes a file; each upload ends in a job that waits. */
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import type { FileRef } from '../../src/file-ref.ts'
import { newToken } from '../../src/gateway/tokens.ts'
import { openStores } from '../../src/store/stores.ts'
import { project, type Project } from '../../test/helpers/project.ts'
import { freePort, startRedis, type TestRedis } from '../../test/helpers/redis.ts'
import { Child } from './child.ts'
import type { Target } from './client.ts'
import { compiled } from './compiled.ts'

const QUEUE = 'uploads'
const JOB = `import { file, job } from 'bullmq-runner'
import { z } from 'zod'

export default job({ queue: '${QUEUE}', args: z.object({ file: file() }), run() {} })
`
/** Of one caller at once; without it, a quarter of `uploads.concurrent`. */
const UPLOADS = 64
/** Milliseconds. */
const START_MS = 60_000

export class Service implements AsyncDisposable {
  readonly child: Child<unknown>
  readonly target: Target
  readonly #stack: AsyncDisposableStack
  readonly #redis: TestRedis
  readonly #project: Project
  readonly #place: string

  private constructor(
    stack: AsyncDisposableStack,
    parts: { child: Child<unknown>; target: Target; redis: TestRedis; project: Project; place: string },
  ) {
    this.#stack = stack
    this.child = parts.child
    this.target = parts.target
    this.#redis = parts.redis
    this.#project = parts.project
    this.#place = parts.place
  }

  /** Resolves when it answers that it is ready. `place`: as the setting `store` names it. */
  static async start(
    place: string,
    { env, imports }: { env: Record<string, string>; imports: URL[] },
  ): Promise<Service> {
    await using stack = new AsyncDisposableStack()
    const redis = stack.use(await startRedis())
    const { token, hash } = newToken()
    const tokens = [{ name: 'bench', hash, scopes: ['enqueue'], uploads: UPLOADS }]
    const folder = stack.use(
      project({
        'jobs/take.js': JOB,
        'runner.config.js': `export default ${JSON.stringify({ redis: redis.url, store: place, tokens })}`,
      }),
    )
    const port = await freePort()
    const args = ['serve', '--http', `127.0.0.1:${port}`, '--log-level', 'warn']
    const child = stack.use(await Child.start(compiled('serve'), args, { env, imports, cwd: folder.dir }))
    await ready(port)
    const headers = { authorization: `Bearer ${token}` }
    const target = { port, path: '/v1/jobs/take', headers }
    return new Service(stack.move(), { child, target, redis, project: folder, place })
  }

  /** What the payload of job `id` refers to, and the bytes that a handler would read by it. */
  async stored(id: string): Promise<{ ref: FileRef; content: AsyncIterable<Buffer> }> {
    const queue = new Queue<{ file: FileRef }>(QUEUE, { connection: { url: this.#redis.url } })
    const job = await queue.getJob(id)
    await queue.close()
    if (job === undefined) throw new Error(`there is no job ${id}`)
    const ref = job.data.file
    const stores = this.#stack.use(openStores({ cwd: this.#project.dir, store: this.#place, stores: {} }))
    const { store, key } = stores.of(ref)
    return { ref, content: (await store.read(key)) as Readable & AsyncIterable<Buffer> }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

async function ready(port: number): Promise<void> {
  const deadline = performance.now() + START_MS
  while (performance.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    if (answer?.ok === true) return
    await sleep(50)
  }
  throw new Error(`runner serve was not ready within ${START_MS} ms`)
}
