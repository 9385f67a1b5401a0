/** A container with a memory limit: who ends when a job takes more, the job's executor or all of it. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bytes } from '../../src/units.ts'
import { containerBench, describeContainers, type ContainerBench } from '../helpers/container-bench.ts'
import { untilFinished, untilState } from '../helpers/fleet.ts'
import { expectPromiseKept, untilRecorded } from '../helpers/oracle.ts'

const memory = bytes('512MiB')
const EXECUTORS = ['--executors', '2']

describeContainers('512 MiB', () => {
  let containers: ContainerBench
  beforeAll(async () => void (containers = await containerBench()))
  afterAll(() => containers[Symbol.asyncDispose]())

  it('a job that fills its heap fails alone, with the settings as they are, and the replica lives', async () => {
    await using b = await containers.queue()
    await using replica = await containers.replica(EXECUTORS, { memory })
    // It fills the heap beside another job, and once more alone.
    const beside = await b.act({ do: 'gate', value: 'fine' })
    await untilRecorded(b.client, 'start', 1)
    const bad = await b.act({ do: 'allocate', value: 2 ** 31 })
    const { failedReason } = await untilState(b.queue, bad.id, 'failed', 180_000)
    expect(failedReason).toContain('ran out of memory (heap limit 128 MiB)')
    await b.open()
    expect(await untilState(b.queue, beside.id)).toMatchObject({ state: 'completed', returnvalue: 'fine' })
    await replica.kill('SIGTERM')
    expect(await replica.ended).toMatchObject({ code: 0, oomKilled: false })
  })

  it('is told at the start when the heaps that it was given do not fit', async () => {
    await using replica = await containers.replica([...EXECUTORS, '--executor-memory', '1GiB'], { memory })
    expect(replica.output).toContain(
      '2 heap(s) of executors may grow to 1024 MiB each, and this container has 512 MiB',
    )
  })

  it('the kernel ends a replica whose job takes more outside of its heap, and none of its jobs is lost', async () => {
    await using b = await containers.queue()
    await using victim = await containers.replica(EXECUTORS, { memory })
    const beside = await b.acts(3, { do: 'gate' })
    await untilRecorded(b.client, 'start', 3)
    // Its second run, elsewhere, takes nothing.
    const hog = await b.act({ do: 'leak', value: bytes('1GiB'), untilFence: 2 })
    expect(await victim.ended).toMatchObject({ code: 137, oomKilled: true })
    await using _ = await containers.replica(EXECUTORS, { memory })
    // What a replica died with is tried alone, so not all of them are run again at once.
    await untilRecorded(b.client, 'start', 5)
    await b.open()
    await untilFinished(b.queue, 4)
    expect(await untilState(b.queue, hog.id)).toMatchObject({ state: 'completed', attemptsStarted: 2 })
    const ids = [...beside, hog].map(({ id }) => id as string)
    await expectPromiseKept(b.client, { ids, starts: 2 })
  })
})
