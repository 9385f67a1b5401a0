/** Three replicas in containers, drained, terminated and killed, and the ledger of what their jobs did. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { containerBench, describeContainers, type ContainerBench } from '../helpers/container-bench.ts'
import { untilFinished } from '../helpers/fleet.ts'
import { expectPromiseKept, readOracle, untilRecorded } from '../helpers/oracle.ts'

const idsOf = (jobs: { id?: string | undefined }[]) => jobs.map(({ id }) => id as string)

describeContainers('three replicas', () => {
  let containers: ContainerBench
  beforeAll(async () => void (containers = await containerBench()))
  afterAll(() => containers[Symbol.asyncDispose]())

  it('do each job once that `runner enqueue` adds, and end with --drain when nothing is left', async () => {
    await using b = await containers.queue()
    const enqueue = await containers.run({
      command: ['enqueue', 'act', '--data', JSON.stringify({ do: 'return', value: 'by a container' })],
    })
    expect(await enqueue.ended).toMatchObject({ code: 0 })
    await b.acts(60, { do: 'sleep', ms: 50 })
    const args = ['--drain', '--concurrency', '4']
    const ends = await Promise.all(
      [1, 2, 3].map(async () => (await containers.run({ command: ['work', ...args] })).ended),
    )
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0])
    const done = await b.queue.getCompleted(0, -1)
    expect(done).toHaveLength(61)
    expect(done.map(({ returnvalue }) => returnvalue as unknown)).toContain('by a container')
    await expectPromiseKept(b.client, { ids: idsOf(done), starts: 1 })
  })

  it('are told to end, and killed: what they held is done elsewhere, once, and what is done in time ends there', async () => {
    await using b = await containers.queue()
    const one = (grace: string) => containers.replica(['--grace', grace, '--concurrency', '4'])
    const [hasty, victim, last] = await Promise.all([one('200ms'), one('25s'), one('25s')])
    const held = await b.acts(12, { do: 'gate' }, { attempts: 1 })
    await untilRecorded(b.client, 'start', 12)
    await hasty.kill('SIGTERM')
    await victim.kill('SIGKILL')
    expect(await hasty.ended).toMatchObject({ code: 75 })
    expect(await victim.ended).toMatchObject({ code: 137, oomKilled: false })
    await b.open()
    await untilFinished(b.queue, 12)
    expect(await b.queue.getCompletedCount()).toBe(12)
    await expectPromiseKept(b.client, { ids: idsOf(held), starts: 2 })
    const starts = [...(await readOracle(b.client)).values()].map(job => job.starts.length)
    expect(starts.filter(count => count === 2)).toHaveLength(8)

    const [short] = await b.acts(1, { do: 'sleep', ms: 1_000 })
    await untilRecorded(b.client, 'start', 21)
    await last.kill('SIGTERM')
    expect(await last.ended).toMatchObject({ code: 0 })
    await expectPromiseKept(b.client, { ids: idsOf([short as object]), starts: 1 })
  })
})
