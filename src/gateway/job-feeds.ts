/** Events of single jobs, for whoever watches them: one connection a queue, while any of its jobs is watched. */
import type { Queue, QueueEvents } from 'bullmq'
import type { EventSource } from '../enqueue/job-watch.ts'
import { openEvents, type OpenEvents } from '../enqueue/queue-events.ts'
import type { RedisHandle } from '../redis/connection.ts'

interface Shared {
  watchers: number
  open: Promise<OpenEvents>
}

type Listener = (...args: unknown[]) => void

export interface JobFeed extends AsyncDisposable {
  /** Only what is of this job. */
  readonly source: EventSource
}

export class JobFeeds implements AsyncDisposable {
  readonly #redis: Pick<RedisHandle, 'connect' | 'prefix'>
  readonly #shared = new Map<string, Shared>()

  constructor(redis: Pick<RedisHandle, 'connect' | 'prefix'>) {
    this.#redis = redis
  }

  /** Rejects with the reason of `signal`, also while Redis is away. */
  async open(queue: Queue, id: string, signal: AbortSignal): Promise<JobFeed> {
    const shared = this.#shared.get(queue.name) ?? this.#begin(queue)
    shared.watchers++
    const leave = () => this.#leave(queue.name, shared)
    const aborted = Promise.withResolvers<never>()
    const abort = () => aborted.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    try {
      const { events } = await Promise.race([shared.open, aborted.promise])
      return feedOf(events, id, leave)
    } catch (error) {
      // Not awaited: it may still be on its way.
      leave().catch(() => undefined)
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#shared.values()]
    this.#shared.clear()
    await Promise.all(all.map(end))
  }

  #begin(queue: Queue): Shared {
    const open = openEvents(this.#redis, queue).then(opened => {
      opened.events.setMaxListeners(0)
      // It ends by an error when the connection is closed for good.
      opened.events.run().catch(() => undefined)
      return opened
    })
    const shared: Shared = { watchers: 0, open }
    this.#shared.set(queue.name, shared)
    return shared
  }

  async #leave(name: string, shared: Shared): Promise<void> {
    if (--shared.watchers > 0) return
    if (this.#shared.get(name) === shared) this.#shared.delete(name)
    await end(shared)
  }
}

async function end({ open }: Shared): Promise<void> {
  await (await open.catch(() => undefined))?.[Symbol.asyncDispose]()
}

/** BullMQ emits each event of a job under a name of its own, too: whoever watches one job hears of no other. */
function feedOf(events: QueueEvents, id: string, leave: () => Promise<void>): JobFeed {
  const listeners: [name: string, listener: Listener][] = []
  const source = {
    on(name: string, listener: Listener) {
      const own = `${name}:${id}`
      listeners.push([own, listener])
      events.on(own as 'completed', listener)
      return source
    },
    run: async () => undefined,
  }
  return {
    source: source as unknown as EventSource,
    async [Symbol.asyncDispose]() {
      for (const [name, listener] of listeners.splice(0)) events.off(name as 'completed', listener)
      await leave()
    },
  }
}
