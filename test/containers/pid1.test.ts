/** The runner as PID 1 of a container that may do nothing: who it is, what it hears, what it leaves behind. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  containerBench,
  describeContainers,
  readableFolder,
  SCRIPTED,
  type ContainerBench,
} from '../helpers/container-bench.ts'
import { untilState } from '../helpers/fleet.ts'
import { untilRecorded } from '../helpers/oracle.ts'

describeContainers('PID 1', () => {
  let containers: ContainerBench
  beforeAll(async () => void (containers = await containerBench()))
  afterAll(() => containers[Symbol.asyncDispose]())

  it('is node itself, nobody in particular, without a capability, on a root that cannot be written', async () => {
    await using replica = await containers.replica()
    const read = async (...command: string[]) => (await replica.exec(command)).output
    expect(await read('id')).toMatch(/^uid=1000\S* gid=1000\S*/)
    expect((await read('cat', '/proc/1/cmdline')).split('\0')).toEqual(
      expect.arrayContaining(['node', '/opt/bullmq-runner/bin/runner.js', 'work']),
    )
    const status = await read('cat', '/proc/1/status')
    expect(status).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m)
    expect(status).toMatch(/^CapEff:\t0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
    for (const path of ['/app', '/opt/bullmq-runner', '/tmp']) {
      const { output, exitCode } = await replica.exec(['touch', `${path}/file`])
      expect({ path, output, exitCode }).toMatchObject({ exitCode: 1 })
      expect(output).toContain('Read-only file system')
    }
    // All that was compiled lies in the image.
    expect((await read('sh', '-c', 'ls $NODE_COMPILE_CACHE/*')).split('\n').length).toBeGreaterThan(300)
  })

  it('hears TSTP and CONT, TTIN, and INT twice', async () => {
    await using b = await containers.queue()
    await using replica = await containers.replica(['--grace', '1m'])
    await replica.kill('SIGTSTP')
    await replica.event('fleet.quiet')
    const { id } = await b.act({ do: 'gate', say: 'up' })
    await replica.kill('SIGCONT')
    await replica.event('fleet.resumed')
    await untilRecorded(b.client, 'start', 1)
    await replica.kill('SIGTTIN')
    await replica.until(() => replica.output.includes(`act ${id}`), 'the dump')
    await replica.kill('SIGINT')
    await replica.event('fleet.stopping')
    await replica.kill('SIGINT')
    expect(await replica.ended).toMatchObject({ code: 130 })
    expect(await b.queue.getJobCountByTypes('waiting', 'active')).toBe(1)
    expect(await untilState(b.queue, id, 'waiting')).toMatchObject({ attemptsMade: 0 })
  })

  it('that is an init reaps what scripts leave behind, and passes TERM on', async () => {
    await using b = await containers.queue()
    using folder = readableFolder({
      'orphan.sh':
        '#!/bin/sh\n# In a session of its own, so that it outlives the script.\nsetsid sleep 0.1 &\n',
    })
    const mounts = { ...SCRIPTED, [folder.dir]: '/app/scripts' }
    await using replica = await containers.replica(['--queue', 'fleet'], { mounts, init: true })
    const jobs = await Promise.all([1, 2, 3].map(() => b.act({ do: '' }, { name: 'orphan' })))
    for (const { id } of jobs) expect(await untilState(b.queue, id)).toMatchObject({ state: 'completed' })
    const zombies = async () =>
      (await replica.exec(['sh', '-c', 'grep -l "^State:.Z" /proc/[0-9]*/status | wc -l'])).output.trim()
    await expect.poll(zombies, { timeout: 10_000 }).toBe('0')
    await replica.kill('SIGTERM')
    expect(await replica.ended).toMatchObject({ code: 0 })
  })

  it('without a Redis says in one line what to do, and ends', async () => {
    await using replica = await containers.run({ command: ['work'], env: { REDIS_URL: '' } })
    const { code, output } = await replica.ended
    expect(code).toBe(4)
    expect(output).toMatch(
      /^error: no redis-server or valkey-server found on PATH\nhint: .*, or name a server elsewhere with --redis URL or REDIS_URL\n$/,
    )
  })
})
