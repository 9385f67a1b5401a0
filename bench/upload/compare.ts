/** MB/s and peak memory of each way, with the same loads into the same bucket, in turn: only their ratios mean anything. */
import { median } from '../measure.ts'
import { Bench } from './bench.ts'
import { sendForm, sendJson } from './client.ts'
import { WAYS, type Way } from './ways.ts'

const MB = 1e6
const LOADS = [
  { clients: 1, bytes: 200 * MB },
  { clients: 10, bytes: 50 * MB },
]

interface Figures {
  seconds: number
  /** Bytes. */
  peak: number
}

/** `scale`: of the loads' bytes. */
export interface Comparison {
  ways: readonly Way[]
  rounds: number
  scale: number
}

/** As a table. */
export async function compare({ ways, rounds, scale }: Comparison): Promise<string> {
  const figures = new Map<string, Figures[]>()
  for (let round = 0; round < rounds; round++)
    for (const [n, { clients, bytes }] of LOADS.entries())
      for (const way of ways) {
        const taken = await measure(way, clients, Math.round(bytes * scale))
        figures.set(`${way} ${n}`, [...(figures.get(`${way} ${n}`) ?? []), taken])
        process.stderr.write('.')
      }
  process.stderr.write('\n')
  const titles = LOADS.map(({ clients, bytes }) =>
    clients === 1 ? `1 x ${(bytes * scale) / MB} MB` : `${clients} x ${(bytes * scale) / MB} MB at once`,
  )
  const cells = (way: Way) =>
    LOADS.flatMap(({ clients, bytes }, n) => {
      const all = figures.get(`${way} ${n}`) as Figures[]
      const seconds = median(all.map(one => one.seconds))
      const rate = (clients * bytes * scale) / MB / seconds
      return [`${seconds.toFixed(2)} s, ${rate.toFixed(0)} MB/s`, inMB(median(all.map(one => one.peak)))]
    })
  return [
    `| an upload as | ${titles.map(title => `${title} | peak memory`).join(' | ')} |`,
    `|---|${'--:|'.repeat(2 * LOADS.length)}`,
    ...ways.map(way => `| ${WAYS[way]} | ${cells(way).join(' | ')} |`),
  ].join('\n')
}

async function measure(way: Way, clients: number, bytes: number): Promise<Figures> {
  await using bench = await Bench.open({ way })
  const send = way === 'base64' ? sendJson : sendForm
  const { target: to } = bench
  return await bench.measure(() =>
    Promise.all(Array.from({ length: clients }, (_, seed) => send({ to, bytes, seed }))),
  )
}

const inMB = (bytes: number) => `${(bytes / MB).toFixed(0)} MB`
