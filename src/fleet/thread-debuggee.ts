/** A worker thread under the debugger, from the main thread of the same process. */
import { Session } from 'node:inspector'
import type { Debuggee } from './sight.ts'

interface WorkerInfo {
  title: string
}
interface Message {
  id?: number
  method?: string
  params?: unknown
  result?: unknown
  error?: { message: string }
}

/** Rejects when there is no such thread any more. */
export async function debugThread(threadId: number): Promise<Debuggee> {
  const session = new Session()
  session.connect()
  const main = command(session)
  const attached = Promise.withResolvers<string>()
  session.on('NodeWorker.attachedToWorker', ({ params }) => {
    const { title } = params.workerInfo as WorkerInfo
    // Its `workerId` is another count than ours.
    if (title.startsWith(`[worker ${threadId}]`)) attached.resolve(params.sessionId)
  })
  await main('NodeWorker.enable', { waitForDebuggerOnStart: false })
  attached.reject(new Error(`no thread ${threadId}`))
  let sessionId: string
  try {
    sessionId = await attached.promise
  } catch (error) {
    session.disconnect()
    throw error
  }
  return new ThreadDebuggee(session, sessionId)
}

class ThreadDebuggee implements Debuggee {
  readonly #session: Session
  readonly #id: string
  readonly #main: ReturnType<typeof command>
  readonly #ended = Promise.withResolvers<void>()
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>()
  #call = 0
  #onEvent: (method: string, params: unknown) => void = () => undefined

  constructor(session: Session, id: string) {
    this.#session = session
    this.#id = id
    this.#main = command(session)
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      if (params.sessionId === id) this.#onMessage(JSON.parse(params.message) as Message)
    })
    session.on('NodeWorker.detachedFromWorker', ({ params }) => {
      if (params.sessionId === id) this.#ended.resolve()
    })
  }

  get ended(): Promise<void> {
    return this.#ended.promise
  }

  onEvent(listener: (method: string, params: unknown) => void): void {
    this.#onEvent = listener
  }

  async post(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#call
    const call = Promise.withResolvers<unknown>()
    this.#calls.set(id, call)
    const message = JSON.stringify({ id, method, params })
    await this.#main('NodeWorker.sendMessageToWorker', { sessionId: this.#id, message })
    return call.promise
  }

  async close(): Promise<void> {
    // Without effect, and an error, for a thread that has ended.
    await this.#main('NodeWorker.detach', { sessionId: this.#id }).catch(() => undefined)
    await this.#main('NodeWorker.disable').catch(() => undefined)
    this.#session.disconnect()
    this.#calls.clear()
  }

  #onMessage({ id, method, params, result, error }: Message): void {
    if (method !== undefined) this.#onEvent(method, params)
    const call = id === undefined ? undefined : this.#calls.get(id)
    if (call === undefined) return
    this.#calls.delete(id as number)
    if (error === undefined) call.resolve(result)
    else call.reject(new Error(error.message))
  }
}

function command(session: Session): (method: string, params?: object) => Promise<unknown> {
  return (method, params) =>
    new Promise((resolve, reject) =>
      session.post(method, params, (error, result) => (error === null ? resolve(result) : reject(error))),
    )
}
