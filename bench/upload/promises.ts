/** What is promised of the gateway's memory, each line measured: whether it holds, in words. */
import { createHash } from 'node:crypto'
import { slopeOf } from '../heap-growth.ts'
import { Bench, type Sample } from './bench.ts'
import { sendForm, sendInChunks } from './client.ts'
import { sha256Of } from './content.ts'

const MB = 1e6
/** Of a throttled bucket, a second. */
const RATE = 10 * MB

export interface Finding {
  isKept: boolean
  text: string
}

/** `scale`: of the loads' bytes, for a look; what is promised is of all of them. */
type Measure = (scale: number) => Promise<Finding[]>

/** By name. Figures are bytes and seconds. */
export const PROMISES = {
  'gigabyte-folder': scale => gigabyte('folder', scale),
  'gigabyte-bucket': scale => gigabyte('bucket', scale),
  'small-chunks': smallChunks,
  'slow-bucket': slowBucket,
} as const satisfies Record<string, Measure>

async function gigabyte(store: 'folder' | 'bucket', scale: number): Promise<Finding[]> {
  const bytes = Math.round(1_000 * MB * scale)
  await using bench = await Bench.open({ way: 'ours', store, sink: {} })
  let job = ''
  const load = async () =>
    void ({ id: job } = (await sendForm({ to: bench.target, bytes, seed: 1 })) as { id: string })
  const { seconds, peak, samples } = await bench.measure(load, true)
  const what = `${mb(bytes)} into a ${store} in ${seconds.toFixed(1)} s (${mb(bytes / seconds)}/s)`
  const { slope, isFlat } = trendOf(samples)
  const sha256 = sha256Of(bytes, 1)
  const stored = await bench.service?.stored(job)
  const isSame = stored?.ref.sha256 === sha256 && (await hashOf(stored.content)) === sha256
  return [
    {
      isKept: isSame,
      text: `${what}: sha256 of what was sent, of the reference in its job and of what is read by it`,
    },
    within(`${what}: peak memory`, peak, 160 * MB),
    { isKept: isFlat, text: `${what}: memory flat, slope ${(slope / MB).toFixed(2)} MB/s` },
  ]
}

async function hashOf(content: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of content) hash.update(piece)
  return hash.digest('hex')
}

/** What it grows by in the time that it takes, once it has its buffers. */
function trendOf(samples: readonly Sample[]): { slope: number; isFlat: boolean } {
  const warm = samples.slice(Math.floor(samples.length / 4))
  if (warm.length < 10) throw new Error('the upload was too short to tell')
  const slope = slopeOf(warm.map(({ at, rss }) => [at / 1_000, rss]))
  const seconds = (warm.at(-1)!.at - warm[0]!.at) / 1_000
  return { slope, isFlat: slope * seconds <= 16 * MB }
}

async function smallChunks(scale: number): Promise<Finding[]> {
  const [clients, bytes] = [8, Math.round(5 * MB * scale)]
  const findings: Finding[] = []
  for (const store of ['folder', 'bucket'] as const) {
    await using bench = await Bench.open({ way: 'ours', store })
    const { target: to } = bench
    const { seconds, peak } = await bench.measure(
      () => Promise.all(times(clients, seed => sendInChunks({ to, bytes, seed }, 16))),
      true,
    )
    const what = `${clients} x ${mb(bytes)} in chunks of 16 bytes into a ${store} in ${seconds.toFixed(1)} s`
    findings.push(within(`${what}: peak memory`, peak, 200 * MB))
  }
  return findings
}

async function slowBucket(scale: number): Promise<Finding[]> {
  const [clients, bytes] = [30, Math.round(20 * MB * scale)]
  await using bench = await Bench.open({ way: 'ours', sink: { forget: true, rate: RATE } })
  const { target: to } = bench
  const { seconds, peak, delay } = await bench.measure(
    () => Promise.all(times(clients, seed => sendForm({ to, bytes, seed }))),
    true,
  )
  const rate = (clients * bytes) / seconds
  const what = `${clients} x ${mb(bytes)} into a bucket of ${mb(RATE)}/s`
  return [
    {
      isKept: Math.abs(rate / RATE - 1) <= 0.1,
      text: `${what}: ${(rate / MB).toFixed(1)} MB/s, within 10 % of it`,
    },
    within(`${what}: peak memory`, peak, 500 * MB),
    {
      isKept: delay.p99 < 50,
      text: `${what}: event loop late by ${delay.p99.toFixed(1)} ms at p99, of < 50 ms (p50 ${delay.p50.toFixed(1)}, at most ${delay.max.toFixed(0)})`,
    },
  ]
}

const within = (what: string, value: number, limit: number): Finding => ({
  isKept: value <= limit,
  text: `${what} ${mb(value)}, of ${mb(limit)} at most`,
})
const mb = (value: number) => `${Math.round(value / MB)} MB`
const times = <Of>(count: number, each: (n: number) => Of): Of[] =>
  Array.from({ length: count }, (_, n) => each(n))
