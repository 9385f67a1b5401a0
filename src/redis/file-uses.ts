/** What a payload is known by in the index of files, before its job is added. Nothing is asked of Redis where it has no file. */
import { randomUUID } from 'node:crypto'
import { placesIn } from '../file-ref.ts'
import type { Client } from './client.ts'
import { FileIndex } from './file-index.ts'

export interface Payload {
  json: string
  queue: string
  /** Absent: BullMQ would number the job, which is too late. */
  id: string | undefined
}

/** Resolves with the id that the job has to have; undefined: any. */
export async function keepFiles(
  client: () => Promise<Client> | Client,
  prefix: string,
  { json, queue, id }: Payload,
): Promise<string | undefined> {
  const places = placesIn(json)
  if (places.length === 0) return id
  const known = id ?? randomUUID()
  await new FileIndex(await client(), prefix).add(places.map(place => ({ place, queue, id: known })))
  return known
}

/** The same for a queue that was opened with a client. */
export function keepFilesOf(
  queue: { name: string; opts: { connection?: unknown; prefix?: string } },
  payload: Omit<Payload, 'queue'>,
): Promise<string | undefined> {
  const { connection, prefix = 'bull' } = queue.opts
  return keepFiles(() => connection as Client, prefix, { ...payload, queue: queue.name })
}
