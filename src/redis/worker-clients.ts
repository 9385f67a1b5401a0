/**
 * Which queues have BullMQ workers connected, by the names of their connections: each worker, those of a replica too,
 * has one that is named after its queue. That tells of workers that are no replicas, which publish nothing.
 */
import type { Client } from './client.ts'
import { primariesOf, unlessForbidden } from './server-info.ts'

export class WorkerClients {
  readonly #connections: ReadonlyMap<string, number>

  constructor(connections: ReadonlyMap<string, number>) {
    this.#connections = connections
  }

  /** Workers of a queue, replicas included. */
  of(prefix: string, queue: string): number {
    return this.#connections.get(`${prefix}:${Buffer.from(queue).toString('base64')}`) ?? 0
  }
}

/** undefined: CLIENT LIST is forbidden, or this service keeps no names. `client` must have one. */
export async function workerClients(client: Client): Promise<WorkerClients | undefined> {
  const most = new Map<string, number>()
  let named = false
  for (const node of primariesOf(client)) {
    const list = (await unlessForbidden(node.client('LIST'))) as string | undefined
    if (list === undefined) return undefined
    const names = [...list.matchAll(/ name=(\S+)/g)].map(([, name = '']) => name)
    named ||= names.length > 0
    const counts = new Map<string, number>()
    for (const name of names) {
      // A worker that has a name of its own adds it behind `:w:`.
      const [worker = name] = name.split(':w:')
      counts.set(worker, (counts.get(worker) ?? 0) + 1)
    }
    // A worker of a Cluster is connected to several of its nodes.
    for (const [name, count] of counts) most.set(name, Math.max(count, most.get(name) ?? 0))
  }
  return named ? new WorkerClients(most) : undefined
}
