/** One gateway and one bucket, for one measurement. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FakeS3Options } from '../../test/helpers/fake-s3.ts'
import { Child } from './child.ts'
import { sendForm, sendJson, type Target } from './client.ts'
import { compiled } from './compiled.ts'
import type { LoopDelay } from './probe.ts'
import { Service } from './service.ts'
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
  readonly target: Target
  /** Of our way. */
  readonly service: Service | undefined
  readonly #stack: AsyncDisposableStack
  readonly #gateway: Gateway
  readonly #probe: string

  private constructor(stack: AsyncDisposableStack, gateway: Gateway, probe: string) {
    this.#stack = stack
    this.#gateway = gateway
    this.#probe = probe
    this.target = gateway.target
    this.service = gateway.service
  }

  /** One small upload has passed: what is loaded with the first is loaded. */
  static async open({ way, store = 'bucket', sink = { forget: true } }: BenchOptions): Promise<Bench> {
    await using stack = new AsyncDisposableStack()
    const folder = mkdtempSync(join(tmpdir(), 'bench-upload-'))
    stack.defer(() => rmSync(folder, { recursive: true, force: true }))
    let place = 'dir:store'
    if (store === 'bucket') {
      const bucket = await Child.start<{ endpoint: string }>(new URL('./sink.ts', import.meta.url), [
        JSON.stringify(sink),
      ])
      stack.use(bucket)
      place = `s3://files/in?endpoint=${bucket.ready.endpoint}`
    }
    const probe = join(folder, 'probe.json')
    const options = { env: { ...KEYS, UPLOAD_BENCH_PROBE: probe }, imports: [compiled('probe')] }
    const gateway =
      way === 'ours'
        ? await startService(stack, place, options)
        : await startUsual(stack, [way, place, folder], options)
    await (way === 'base64' ? sendJson : sendForm)({ to: gateway.target, bytes: 64 * 1024, seed: 0 })
    return new Bench(stack.move(), gateway, probe)
  }

  /** `isShown`: what the gateway takes of memory is printed each second. */
  async measure(load: () => Promise<unknown>, isShown = false): Promise<Measured> {
    const samples: Sample[] = []
    const began = performance.now()
    this.#gateway.child.kill('SIGUSR2')
    const timer = setInterval(() => {
      samples.push({ at: performance.now() - began, rss: this.#gateway.child.memory().rss })
      const second = 1_000 / SAMPLE_MS
      if (isShown && samples.length % second === 0) console.log(lineOf(samples.at(-1)!))
    }, SAMPLE_MS)
    try {
      await load()
    } finally {
      clearInterval(timer)
    }
    const seconds = (performance.now() - began) / 1_000
    const { peak } = this.#gateway.child.memory()
    // The probe writes once a second.
    await sleep(1_100)
    return { seconds, peak, samples, delay: JSON.parse(readFileSync(this.#probe, 'utf8')) as LoopDelay }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

interface Gateway {
  child: Child<unknown>
  target: Target
  service?: Service
}

type StartOptions = { env: Record<string, string>; imports: URL[] }

async function startService(
  stack: AsyncDisposableStack,
  place: string,
  options: StartOptions,
): Promise<Gateway> {
  const service = stack.use(await Service.start(place, options))
  return { child: service.child, target: service.target, service }
}

async function startUsual(
  stack: AsyncDisposableStack,
  args: string[],
  options: StartOptions,
): Promise<Gateway> {
  const child = stack.use(await Child.start<{ port: number }>(compiled('gateway'), args, options))
  return { child, target: { port: child.ready.port, path: '/', headers: {} } }
}

const lineOf = ({ at, rss }: Sample): string =>
  `  ${(at / 1_000).toFixed(0).padStart(3)} s  ${(rss / 1e6).toFixed(0)} MB`
