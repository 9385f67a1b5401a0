/** What is known of a queue: how its replicas are set up, and what they have measured. */
import type { Config } from '../config.ts'
import { intervalOf, LOCK_DURATION } from '../fleet/lock-terms.ts'
import { measurementsOf, type QueueMeasurements } from '../fleet/measurements.ts'
import { Measured } from '../redis/measured.ts'
import type { Replica } from '../redis/replicas.ts'
import { takersOf, type Survey } from './survey.ts'

/** Of one or more replicas that are set up alike. Times in milliseconds. */
export interface Setup {
  /** '2 replicas', or 'this folder' when none is live. */
  who: string
  lockDuration: number
  stalledInterval: number
  maxStalledCount: number
  grace: number
  blockLimit: number | false
}

export interface QueueFacts {
  queue: string
  setups: Setup[]
  /** Of the last seven days. */
  measured: QueueMeasurements
  /** BullMQ workers that are no replicas; undefined: it cannot be told. */
  plain: number | undefined
}

/** Of every queue that was measured or is worked. What `config` says counts where no replica is live. */
export async function queueFacts(survey: Survey): Promise<QueueFacts[]> {
  const { client, config, live, prefix, queues } = survey
  const measured = new Measured(client, prefix)
  const known = new Set([
    ...(await measured.queues()),
    ...live.flatMap(replica => Object.keys(replica.queues)),
  ])
  const chosen = queues.map(({ queue }) => queue).filter(queue => known.has(queue))
  return Promise.all(
    chosen.map(async queue => ({
      queue,
      setups: setupsOf(queue, live, config),
      measured: measurementsOf(await measured.read(queue)),
      plain: takersOf(survey, queue).plain,
    })),
  )
}

function setupsOf(queue: string, live: readonly Replica[], config: Config): Setup[] {
  const alike = new Map<string, { setup: Omit<Setup, 'who'>; replicas: number }>()
  for (const { terms } of live) {
    const times = terms.locks[queue]
    if (times === undefined) continue
    const { maxStalledCount, grace, blockLimit } = terms
    const setup = { ...times, maxStalledCount, grace, blockLimit }
    const key = JSON.stringify(setup)
    alike.set(key, { setup, replicas: (alike.get(key)?.replicas ?? 0) + 1 })
  }
  if (alike.size === 0) return [configured(config)]
  return [...alike.values()].map(({ setup, replicas }) => ({
    who: replicas === 1 ? '1 replica' : `${replicas} replicas`,
    ...setup,
  }))
}

function configured({
  lockDuration: given,
  stalledInterval,
  maxStalledCount,
  grace,
  blockLimit,
}: Config): Setup {
  const lockDuration = given === 'auto' ? LOCK_DURATION : given
  return {
    who: 'this folder',
    lockDuration,
    stalledInterval: stalledInterval ?? intervalOf(lockDuration),
    maxStalledCount,
    grace,
    blockLimit,
  }
}
