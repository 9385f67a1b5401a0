/** What is shown of a job beside its payload. */
import type { Client } from '../redis/client.ts'
import type { State } from './state.ts'

/** Times in milliseconds since the epoch. What a job does not have is absent. */
export interface JobRow {
  queue: string
  id: string
  name: string
  state: State
  /** When it was added. */
  timestamp: number
  processedOn?: number
  finishedOn?: number
  /** Attempts that ended. */
  attemptsMade: number
  /** Times that it was begun: its fence. */
  attemptsStarted: number
  /** Milliseconds. */
  delay?: number
  priority?: number
  progress?: unknown
  failedReason?: string
  /** Replica that began it last. */
  processedBy?: string
}

const FIELDS = [
  'name',
  'timestamp',
  'processedOn',
  'finishedOn',
  'atm',
  'ats',
  'delay',
  'priority',
  'progress',
  'failedReason',
  'pb',
] as const

/** In the order of `ids`; those that are gone by now are left out. */
export async function rowsOf(
  client: Client,
  { queue, base, state }: { queue: string; base: string; state: State },
  ids: readonly string[],
): Promise<JobRow[]> {
  const pipeline = client.pipeline()
  for (const id of ids) pipeline.hmget(base + id, ...FIELDS)
  const answers = (await pipeline.exec()) ?? []
  return answers.flatMap(([error, fields], i) => {
    if (error !== null) throw error
    const row = rowOf(fields as (string | null)[])
    return row === undefined ? [] : [{ queue, id: ids[i] as string, state, ...row }]
  })
}

function rowOf(fields: readonly (string | null)[]): Omit<JobRow, 'queue' | 'id' | 'state'> | undefined {
  const [name, timestamp, processedOn, finishedOn, atm, ats, delay, priority, progress, failedReason, pb] =
    fields
  if (name === null || name === undefined) return undefined
  return {
    name,
    timestamp: Number(timestamp),
    ...number('processedOn', processedOn),
    ...number('finishedOn', finishedOn),
    attemptsMade: Number(atm ?? 0),
    attemptsStarted: Number(ats ?? 0),
    ...(delay === '0' ? {} : number('delay', delay)),
    ...(priority === '0' ? {} : number('priority', priority)),
    ...(progress === null || progress === undefined || progress === '0'
      ? {}
      : { progress: jsonOr(progress) }),
    ...(failedReason === null || failedReason === undefined ? {} : { failedReason }),
    ...(pb === null || pb === undefined ? {} : { processedBy: pb }),
  }
}

function number<Key extends string>(key: Key, text: string | null | undefined): { [K in Key]?: number } {
  return (text === null || text === undefined ? {} : { [key]: Number(text) }) as { [K in Key]?: number }
}

/** A handler of another package may have written what is no JSON. */
export function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
