/** The children of a job, as Redis has them. What they returned stays text. */
import type { FleetJob } from './fleet-job.ts'
import { byPlace, placeOf } from './flow-id.ts'
import type { ChildText } from './protocol.ts'

/** Pending children that one answer of Redis has. */
const SCANNED = 1_000

/** `nameOf` reads the name of the job with this key: of those whose ids do not say it. */
export async function childrenOf(
  job: FleetJob,
  nameOf: (key: string) => Promise<string | null>,
): Promise<ChildText[]> {
  // First: one that is done between the answers is in both, and not in none.
  const pending = await pendingOf(job)
  const [results, failures] = await job.childTexts()
  const states = new Map<string, Pick<ChildText, 'state' | 'json' | 'error'>>()
  for (const key of pending) states.set(key, { state: 'pending' })
  for (const [key, error] of Object.entries(failures)) states.set(key, { state: 'failed', error })
  for (const [key, json] of Object.entries(results)) states.set(key, { state: 'completed', json })
  const children = [...states].map(async ([key, state]): Promise<ChildText> => {
    const { id, queue } = job.refOf(key)
    const name = placeOf(id)?.name ?? (await nameOf(key))
    return { ...(name === null ? {} : { name }), id, queue, ...state }
  })
  return (await Promise.all(children)).sort(byPlace)
}

async function pendingOf(job: FleetJob): Promise<string[]> {
  const keys: string[] = []
  let cursor = 0
  do {
    const part = await job.getDependencies({ unprocessed: { cursor, count: SCANNED } })
    keys.push(...(part.unprocessed ?? []))
    cursor = part.nextUnprocessedCursor ?? 0
  } while (cursor !== 0)
  return keys
}
