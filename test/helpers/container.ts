/**
 * One container of the image under test: its log as it comes, its signals, how it ended. Hardened as docs/image.md advises,
 * unless a test asks for less. Nothing of it is left after the test, also not when that failed.
 */
import { createInterface } from 'node:readline'
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers'
import type { LogLine } from './replica.ts'

export interface ContainerOptions {
  image: string
  /** Network and link-local name of the containers that it talks to: the id of a network, or 'bridge'. */
  network: string
  command: string[]
  env?: Record<string, string>
  /** Folder or file on this host -> path inside; read-only. */
  mounts?: Record<string, string>
  /** Bytes. Swap is counted in: a limit is a limit. */
  memory?: number
  /** A small init as PID 1, as `docker run --init` adds it. */
  init?: boolean
}

export interface ContainerEnd {
  code: number
  /** The kernel ended it, for its memory. */
  oomKilled: boolean
  output: string
}

export class Container implements AsyncDisposable {
  readonly lines: LogLine[] = []
  readonly ended: Promise<ContainerEnd>
  output = ''
  readonly #started: StartedTestContainer
  readonly #waiting = new Set<() => void>()
  #over = false
  #removed: Promise<void> | undefined

  private constructor(started: StartedTestContainer, ended: Promise<Omit<ContainerEnd, 'output'>>) {
    this.#started = started
    this.ended = ended.then(end => {
      this.#over = true
      this.#wake()
      return { ...end, output: this.output }
    })
    // Of one that a test removes before its end, nobody waits for that: the engine may not know it any more.
    this.ended.catch(() => undefined)
  }

  static async start(options: ContainerOptions): Promise<Container> {
    const log: string[] = []
    let onLine = (line: string): void => void log.push(line)
    const { promise: logEnded, resolve: onLogEnd } = Promise.withResolvers<void>()
    const started = await new Hardened(options)
      .withLogConsumer(stream => {
        createInterface({ input: stream as NodeJS.ReadableStream })
          .on('line', line => onLine(line))
          .once('close', onLogEnd)
      })
      .start()
    const engine = await getContainerRuntimeClient()
    const inner = engine.container.getById(started.getId())
    const ended = inner.wait().then(async ({ StatusCode: code }: { StatusCode: number }) => {
      const { State } = await inner.inspect()
      await logEnded
      return { code, oomKilled: State.OOMKilled }
    })
    const container = new Container(started, ended)
    for (const line of log) container.#onLine(line)
    onLine = line => container.#onLine(line)
    return container
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const engine = await getContainerRuntimeClient()
    await engine.container.getById(this.#started.getId()).kill({ signal })
  }

  /** What it prints, with its exit code. It is not hardened further than the container. */
  exec(command: string[]): Promise<{ output: string; exitCode: number }> {
    return this.#started.exec(command)
  }

  /** The first line of this event, past or to come, whose fields are as in `match`. */
  async event(name: string, match: Record<string, unknown> = {}): Promise<LogLine> {
    const matches = (line: LogLine) =>
      line.event === name && Object.entries(match).every(([field, value]) => line[field] === value)
    await this.until(() => this.lines.some(matches), `the event ${name} ${JSON.stringify(match)}`)
    return this.lines.find(matches) as LogLine
  }

  /** Looks again at every line. Rejects when the container ends first, with what it said. */
  until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const done = condition()
        if (!done && !this.#over) return
        this.#waiting.delete(look)
        if (done) resolve()
        else reject(new Error(`the container ended without ${what}:\n${this.output}`))
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** Removes it, running or not: testcontainers' stop() is a SIGKILL unless it is given a time. */
  [Symbol.asyncDispose](): Promise<void> {
    return (this.#removed ??= this.#started.stop().then(() => undefined))
  }

  #onLine(text: string): void {
    this.output += `${text}\n`
    if (text.startsWith('{')) {
      try {
        this.lines.push(JSON.parse(text) as LogLine)
      } catch {
        // Not ours: a handler may print what it likes.
      }
    }
    this.#wake()
  }

  #wake(): void {
    for (const look of this.#waiting) look()
  }
}

/** What testcontainers has no words for is set where the engine reads it. */
class Hardened extends GenericContainer {
  constructor({ image, network, command, env = {}, mounts = {}, memory, init }: ContainerOptions) {
    super(image)
    this.withCommand(command)
      .withNetworkMode(network)
      .withEnvironment(env)
      .withDroppedCapabilities('ALL')
      .withSecurityOpt('no-new-privileges')
      .withBindMounts(Object.entries(mounts).map(([source, target]) => ({ source, target, mode: 'ro' })))
    this.hostConfig.ReadonlyRootfs = true
    if (memory !== undefined) Object.assign(this.hostConfig, { Memory: memory, MemorySwap: memory })
    if (init !== undefined) this.hostConfig.Init = init
  }
}
