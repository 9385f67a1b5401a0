/** Reads what the fixture handlers recorded (test/fixtures/oracle-record.ts) and holds it to the promise. */
import type { Redis } from 'ioredis'
import { expect } from 'vitest'

export interface Recorded {
  /** Fences of its starts, in order. */
  starts: number[]
  ends: number[]
}

export async function readOracle(client: Redis): Promise<Map<string, Recorded>> {
  const jobs = new Map<string, Recorded>()
  for (const line of await client.lrange('oracle:log', 0, -1)) {
    const [, what, id, fence] = /^(start|end):(.*):(\d+)$/.exec(line) ?? []
    if (id === undefined) throw new Error(`not an oracle line: ${line}`)
    const one = jobs.get(id) ?? { starts: [], ends: [] }
    one[what === 'start' ? 'starts' : 'ends'].push(Number(fence))
    jobs.set(id, one)
  }
  return jobs
}

export interface Expectation {
  /** Every one of them was started. */
  ids: readonly string[]
  /** Starts of each job at most. Default: no limit. */
  starts?: number
  /** Each came to the end of its handler. Default true. */
  ended?: boolean
  /** Redis has lost what it had been told, and counts from what it had before. Default false. */
  isForgetful?: boolean
}

/** Fails when a job was lost, was run twice at once, had a fence that did not grow, or was started too often. */
export async function expectPromiseKept(
  client: Redis,
  { ids, starts, ended = true, isForgetful = false }: Expectation,
) {
  expect(await client.lrange('oracle:overlaps', 0, -1), 'jobs that were run twice at once').toEqual([])
  const jobs = await readOracle(client)
  const lost = ids.filter(id => (ended ? jobs.get(id)?.ends : jobs.get(id)?.starts)?.at(0) === undefined)
  expect(lost, 'jobs that never came to their end').toEqual([])
  const odd = ids.filter(id => {
    const fences = jobs.get(id)?.starts ?? []
    const isOdd = (fence: number, before: number) => (isForgetful ? fence < before : fence <= before)
    return fences.some((fence, i) => i > 0 && isOdd(fence, fences[i - 1] as number))
  })
  expect(odd, 'jobs whose fence did not grow').toEqual([])
  if (starts === undefined) return
  const often = ids.filter(id => (jobs.get(id)?.starts.length ?? 0) > starts)
  expect(often, `jobs started more than ${starts} time(s)`).toEqual([])
}

/** Resolves when `count` runs have started (or ended). */
export async function untilRecorded(client: Redis, what: 'start' | 'end', count: number): Promise<void> {
  await expect
    .poll(
      async () => (await client.lrange('oracle:log', 0, -1)).filter(line => line.startsWith(what)).length,
      {
        timeout: 120_000,
        interval: 50,
        message: `${count} runs recorded as ${what}`,
      },
    )
    .toBeGreaterThanOrEqual(count)
}
