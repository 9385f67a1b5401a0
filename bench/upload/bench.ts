/** One gateway and one bucket, for one measurement. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FakeS3Options } from '../../test/helpers/fake-s3.ts'
import { Child } from './child.ts'
import { sendForm, sendJson } from './client.ts'
import { compiled } from './compiled.ts'
import type { LoopDelay } from './probe.ts'
import type { Way } from './ways.ts'

/** Of a bucket that looks at none. */
export const KEYS = { AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' }

/** A sample each 100 ms, and a line each second for who watches. */
const SAMPLE_MS = 100

export interface Sample {
  /** Milliseconds. */
  at: number
  /** Bytes. */
  rss: number
}

export interface Measured {
  seconds: number
  /** Bytes: the most that the gateway's process ever had. */
  peak: number
  samples: Sample[]
  delay: LoopDelay
}

export interface BenchOptions {
  way: Way
  /** Default: a bucket. */
  store?: 'bucket' | 'folder'
  sink?: FakeS3Options
}

export class Bench implements AsyncDisposable {
  readonly port: number
  /** As the setting `store` names it. */
  readonly place: string
  readonly folder: string
  readonly #stack: AsyncDisposableStack
  readonly #gateway: Child<{ port: number }>
  readonly #probe: string

  private constructor(
    stack: AsyncDisposableStack,
    gateway: Child<{ port: number }>,
    { place, folder, probe }: { place: string; folder: string; probe: string },
  ) {
    this.#stack = stack
    this.#gateway = gateway
    this.#probe = probe
    this.port = gateway.ready.port
    this.place = place
    this.folder = folder
  }

  /** One small upload has passed: what is loaded with the first is loaded. */
  static async open({ way, store = 'bucket', sink = { forget: true } }: BenchOptions): Promise<Bench> {
    await using stack = new AsyncDisposableStack()
    const folder = mkdtempSync(join(tmpdir(), 'bench-upload-'))
    stack.defer(() => rmSync(folder, { recursive: true, force: true }))
    const kept = join(folder, 'kept')
    mkdirSync(kept)
    let place = 'dir:store'
    if (store === 'bucket') {
      const bucket = await Child.start<{ endpoint: string }>(new URL('./sink.ts', import.meta.url), [
        JSON.stringify(sink),
      ])
      stack.use(bucket)
      place = `s3://files/in?endpoint=${bucket.ready.endpoint}`
    }
    const probe = join(folder, 'probe.json')
    const gateway = await Child.start<{ port: number }>(compiled('gateway'), [way, place, kept], {
      env: { ...KEYS, UPLOAD_BENCH_PROBE: probe },
      imports: [compiled('probe')],
    })
    stack.use(gateway)
    await (way === 'base64' ? sendJson : sendForm)({ port: gateway.ready.port, bytes: 64 * 1024, seed: 0 })
    return new Bench(stack.move(), gateway, { place, folder: kept, probe })
  }

  /** `isShown`: what the gateway takes of memory is printed each second. */
  async measure(load: () => Promise<unknown>, isShown = false): Promise<Measured> {
    const samples: Sample[] = []
    const began = performance.now()
    this.#gateway.kill('SIGUSR2')
    const timer = setInterval(() => {
      samples.push({ at: performance.now() - began, rss: this.#gateway.memory().rss })
      const second = 1_000 / SAMPLE_MS
      if (isShown && samples.length % second === 0) console.log(lineOf(samples.at(-1)!))
    }, SAMPLE_MS)
    try {
      await load()
    } finally {
      clearInterval(timer)
    }
    const seconds = (performance.now() - began) / 1_000
    const { peak } = this.#gateway.memory()
    // The probe writes once a second.
    await sleep(1_100)
    return { seconds, peak, samples, delay: JSON.parse(readFileSync(this.#probe, 'utf8')) as LoopDelay }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

const lineOf = ({ at, rss }: Sample): string =>
  `  ${(at / 1_000).toFixed(0).padStart(3)} s  ${(rss / 1e6).toFixed(0)} MB`
