/** What a killed replica started is gone before its jobs run again: children that spin, scripts and what they forked. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bench, KINDS, untilState } from '../helpers/fleet.ts'
import { untilRecorded } from '../helpers/oracle.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

/** Processes whose parent is (or was) `pid`, read before it dies. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).map(Number)
}

function runs(pid: number): boolean {
  try {
    // A zombie that nobody waits for holds nothing and runs nothing.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

it.skipIf(!existsSync('/proc/self/task'))(
  'ends the children of a killed replica within a second, also one that spins',
  async () => {
    await using b = await bench(redis)
    await using replica = await Replica.start({ redis, args: ['--isolation', 'process', '--executors', '2'] })
    await b.act({ do: 'spin-forever' })
    await untilRecorded(b.client, 'start', 1)
    // What its children say from now on it never hears, and they are told so by an error.
    replica.kill('SIGSTOP')
    await sleep(300)
    const children = childrenOf(replica.pid)
    expect(children).toHaveLength(2)
    expect(children.filter(runs)).toHaveLength(2)
    replica.kill('SIGKILL')
    await replica.ended
    await expect.poll(() => children.filter(runs), { timeout: 1_000, interval: 20 }).toEqual([])
  },
)

describe.each(KINDS)('in a %s', isolation => {
  it('ends the process group of a script before the job runs on another replica', async () => {
    await using b = await bench(redis)
    const dir = mkdtempSync(join(tmpdir(), 'test-script-'))
    const queue = new Queue('default', { connection: b.client })
    try {
      const args = ['--isolation', isolation, '--lock-duration', '1s', '--stalled-interval', '1s']
      await using doomed = await Replica.start({ redis, args })
      const payload = { gate: join(dir, 'gate'), pids: join(dir, 'pids') }
      const { id } = await queue.add('slow-script', payload)
      const groups = () =>
        existsSync(payload.pids) ? readFileSync(payload.pids, 'utf8').trim().split('\n') : []
      await expect.poll(() => groups().length).toBe(1)
      doomed.kill('SIGKILL')
      await doomed.ended
      await using _other = await Replica.start({ redis, args })
      await expect.poll(() => groups().length).toBe(2)
      expect(existsSync(`${payload.pids}.overlap`), 'two runs of the script at once').toBe(false)
      writeFileSync(payload.gate, '')
      expect(await untilState(queue, id)).toMatchObject({
        state: 'completed',
        attemptsMade: 1,
        attemptsStarted: 2,
      })
      expect((await queue.getJobLogs(id as string)).logs).toEqual([`INFO fence 2 of default:${id}`])
    } finally {
      await queue.close()
      rmSync(dir, { recursive: true })
    }
  })
})
