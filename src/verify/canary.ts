/** What the canary jobs do, the same under the runner and under a bare BullMQ worker. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { openEndpoint, type Endpoint } from '../redis/endpoint.ts'
import { Journal, type RunRef } from './journal.ts'

/** `ms`: how long it sleeps or blocks its event loop. `memory` never ends by itself. */
export interface Act {
  kind: 'sleep' | 'block' | 'memory'
  ms: number
}

/** Environment of a replica: where its `CanaryPlace` stands, a file that only its user may read. */
export const PLACE = 'RUNNER_VERIFY_PLACE'

export interface CanaryPlace {
  endpoint: Endpoint
  journal: string
  replica: number
  /** Of a replica that is a bare BullMQ worker: its way to Redis is that of the proxy. */
  bare: {
    endpoint: Endpoint
    prefix: string
    concurrency: number
    lockDuration: number
    stalledInterval: number
  }
}

let journal: Journal | undefined

export function placeOf(env: NodeJS.ProcessEnv): CanaryPlace {
  return JSON.parse(readFileSync(env[PLACE] ?? '', 'utf8')) as CanaryPlace
}

/** Resolves to the fence of the run, so that it can be told whose result was kept. */
export async function canary(run: RunRef, { kind, ms }: Act): Promise<number> {
  if (journal === undefined) {
    const place = placeOf(process.env)
    journal = new Journal(openEndpoint(place.endpoint, 'canary') as Redis, place.journal, place.replica)
  }
  await journal.start(run)
  if (kind === 'sleep') await sleep(ms)
  else if (kind === 'block') block(ms)
  else fill()
  await journal.end(run)
  return run.fence
}

function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

function fill(): void {
  const kept: unknown[][] = []
  for (;;) kept.push(Array.from({ length: 1_000 }, () => kept.length))
}
