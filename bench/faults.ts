/** What faults cost: `npm run bench -- --only faults`. Its table stands in the README beside the one of speed. */
import { percentile } from '../src/verify/oracle.ts'
import type { TestRedis } from '../test/helpers/redis.ts'
import { neighbourWaits } from './executor-end.ts'
import { median } from './measure.ts'
import { namingTime } from './naming.ts'
import { overload } from './overload.ts'
import { recoveryTimes } from './recovery.ts'

const ROUNDS = 5

export async function faultTable(redis: TestRedis, machine: string): Promise<string> {
  const times = async (count: number, measure: () => Promise<number[]>) => {
    const all: number[] = []
    for (let i = 0; i < count; i++) all.push(...(await measure()))
    process.stderr.write('.')
    return all.toSorted((a, b) => a - b)
  }
  const naming = {
    thread: await times(ROUNDS, async () => [await namingTime('thread', redis)]),
    process: await times(ROUNDS, async () => [await namingTime('process', redis)]),
  }
  const neighbours = await times(ROUNDS, () => neighbourWaits(redis))
  const fleet = await times(3, () => recoveryTimes('fleet', redis))
  const bare = await times(2, () => recoveryTimes('bare', redis))
  const { held, stalled, late } = await overload(redis)
  const both = (sorted: number[]) =>
    `${seconds(percentile(sorted, 0.5))} / ${seconds(percentile(sorted, 0.99))}`
  return [
    '| fault, both with default settings | bare worker | this fleet |',
    '|---|--:|--:|',
    `| a handler blocks: until its job and line are named (\`--block-warn\` is 1 s) | never | ${seconds(median(naming.thread))} (thread), ${seconds(median(naming.process))} (process) |`,
    `| a handler ends its executor: until its neighbours run again, p50 / p99 of ${neighbours.length} | as SIGKILL | ${both(neighbours)} |`,
    `| SIGKILL of a replica: until its jobs run again, p50 / p99 of ${bare.length} and ${fleet.length} | ${both(bare)} | **${both(fleet)}** |`,
    `| ${held} jobs held for a minute by a host whose cores are taken tenfold: thought stalled; renewals late by at most | | ${stalled}; ${seconds(late)} of 4 s |`,
    '',
    `Measured by \`npm run bench -- --only faults\` on ${machine}.`,
  ].join('\n')
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(ms < 100 ? 3 : 1)} s`
