/**
 * A TCP proxy in front of Redis that can fall silent, as a network does that drops packets: sockets stay open and
 * nothing passes in either direction. A connection that was swallowed stays so for ever, also after `heal`: the client
 * has to notice. Redis is not told when the client gives up, and keeps its end (a blocked fetch eats the next marker).
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export interface Swallowed {
  /** Only connections whose name in CLIENT LIST is like that, as /^runner:fleet$/. Default: all. */
  named?: RegExp
  /** Also those that are opened from now on, until `heal`. Default true: false is a socket that became half-open. */
  fresh?: boolean
}

interface Line {
  client: Socket
  server: Socket
  name: string | undefined
  silent: boolean
}

const SET_NAME = /setname\r\n\$\d+\r\n([^\r]+)\r\n/i

export class SilentProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #lines = new Set<Line>()
  #rule: Swallowed | undefined

  private constructor(port: number) {
    this.#server = createServer({ allowHalfOpen: true }, client => this.#open(client, port))
  }

  /** Listens on a free port of the loopback. */
  static async open({ port }: { port: number }): Promise<SilentProxy> {
    const proxy = new SilentProxy(port)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Nothing of what matches passes from now on. Returns how many open connections that are. */
  swallow(rule: Swallowed = {}): number {
    if (rule.fresh !== false) this.#rule = rule
    const hit = [...this.#lines].filter(line => !line.silent && matches(line, rule))
    for (const line of hit) line.silent = true
    return hit.length
  }

  /** What is opened from now on passes. */
  heal(): void {
    this.#rule = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    for (const { client, server } of this.#lines) for (const end of [client, server]) end.destroy()
    if (this.#server.listening) await once(this.#server, 'close')
  }

  #open(client: Socket, port: number): void {
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const line: Line = { client, server, name: undefined, silent: false }
    this.#lines.add(line)
    client.on('data', (chunk: Buffer) => {
      line.name ??= SET_NAME.exec(chunk.toString('latin1'))?.[1]
      if (this.#rule !== undefined && matches(line, this.#rule)) line.silent = true
      if (!line.silent) server.write(chunk)
    })
    server.on('data', (chunk: Buffer) => void (line.silent || client.write(chunk)))
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.setNoDelay(true)
      from.on('end', () => void (line.silent || to.end()))
      from.on('error', () => void (line.silent || to.destroy()))
      from.on('close', () => void (line.silent || to.destroy()))
    }
    client.on('close', () => void (line.silent || this.#lines.delete(line)))
  }
}

function matches({ name }: Line, { named }: Swallowed): boolean {
  return named === undefined || (name !== undefined && named.test(name))
}
