/** What is in the image, and that jobs get into it as README.md and docs/image.md say. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { GenericContainer, getContainerRuntimeClient, Wait, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { Container } from '../helpers/container.ts'
import { describeContainers, readableFolder } from '../helpers/container-bench.ts'

const documentText = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
const NODE_IMAGE = process.env['NODE_IMAGE'] ?? 'node:24-bookworm-slim'

const HELLO = `
import { job } from 'bullmq-runner'
import { z } from 'zod'
export default job({ args: z.object({ name: z.string() }), run: ({ args }) => 'hello ' + args.name })
`

describeContainers('the image', () => {
  let redis: StartedTestContainer
  let url: string
  beforeAll(async () => {
    redis = await new GenericContainer('redis:7')
      .withNetworkMode('bridge')
      .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
      .start()
    url = `redis://${redis.getIpAddress('bridge')}`
  })
  afterAll(() => redis.stop())

  it('is less than 200 MB above its base, and starts node as nobody in particular', async () => {
    const { dockerode } = (await getContainerRuntimeClient()).container
    const [image, base] = await Promise.all(
      [inject('image'), NODE_IMAGE].map(name => dockerode.getImage(name).inspect()),
    )
    expect((image?.Size ?? NaN) - (base?.Size ?? NaN)).toBeLessThan(200e6)
    expect(image?.Config).toMatchObject({
      User: '1000:1000',
      WorkingDir: '/app',
      StopSignal: 'SIGTERM',
      Entrypoint: ['node', expect.any(String), '/opt/bullmq-runner/bin/runner.js'],
      Cmd: ['work'],
      Labels: { 'org.opencontainers.image.title': 'bullmq-runner' },
    })
  })

  it('works the jobs of a folder, by the line of README.md', async () => {
    const [, line = ''] = /^\$ (docker run .* bullmq-runner)$/m.exec(documentText('README.md')) ?? []
    expect(line).not.toBe('')
    using folder = readableFolder({ 'jobs/hello.ts': HELLO })
    const command = (more: string) => `exec ${line.replace(/bullmq-runner$/, inject('image'))} ${more}`
    const start = (more: string) => {
      const env = { ...process.env, PWD: folder.dir, REDIS_URL: url }
      return spawn('sh', ['-c', command(more)], { cwd: folder.dir, env })
    }
    const work = start('')
    const log = text(work.stderr)
    const enqueue = start('enqueue hello --name Ada --wait')
    const said = text(enqueue.stdout)
    expect(await once(enqueue, 'close')).toEqual([0, null])
    expect(await said).toContain('hello Ada')
    // Which the client of the engine passes on.
    const ended = once(work, 'close')
    work.kill('SIGTERM')
    expect([await ended, await log]).toEqual([[0, null], expect.stringContaining('"event":"fleet.stopped"')])
  })

  it('is the base of one of your own, with packages and a package.json, by the two lines of docs/image.md', async () => {
    const [, dockerfile = ''] = /^```dockerfile\n(.*?)^```$/ms.exec(documentText('docs/image.md')) ?? []
    expect(dockerfile.trim().split('\n')).toHaveLength(2)
    using folder = readableFolder({
      Dockerfile: dockerfile.replace('FROM bullmq-runner', `FROM ${inject('image')}`),
      'package.json': '{"name":"shop","type":"module"}',
      'node_modules/greeting/package.json': '{"name":"greeting","type":"module","exports":"./index.js"}',
      'node_modules/greeting/index.js': 'export const greeting = "good day"',
      'jobs/hello.ts': `import { greeting } from 'greeting'\n${HELLO.replace("'hello '", "greeting + ' '")}`,
      'scripts/count.sh': '#!/bin/sh\necho one\n',
    })
    const image = 'bullmq-runner:test-shop'
    await GenericContainer.fromDockerfile(folder.dir).build(image, { deleteOnExit: false })
    const run = (...command: string[]) =>
      Container.start({ image, network: 'bridge', command, env: { REDIS_URL: url } })
    await using work = await run('work')
    await using hello = await run('enqueue', 'hello', '--name', 'Ada', '--wait')
    await using count = await run('enqueue', 'count', '--wait')
    expect(await hello.ended).toMatchObject({
      code: 0,
      output: expect.stringContaining('good day Ada') as string,
    })
    expect(await count.ended).toMatchObject({ code: 0 })
    await work.kill('SIGTERM')
    expect(await work.ended).toMatchObject({ code: 0 })
  })
})
