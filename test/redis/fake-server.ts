/** A server on loopback that speaks just enough RESP to claim whatever INFO a test wants. */
import { once } from 'node:events'
import { type AddressInfo, type Socket, createServer } from 'node:net'

export interface FakeServer extends AsyncDisposable {
  url: string
}

export interface FakeBehaviour {
  info: string
  /** ms before each PONG. */
  pingDelay?: number
}

export async function startFakeServer({ info, pingDelay = 0 }: FakeBehaviour): Promise<FakeServer> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('data', chunk => {
      // `*1\r\n$4\r\nPING\r\n`: the name is the second line after each array head.
      for (const [, name = ''] of chunk.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        if (name.toLowerCase() === 'ping') setTimeout(() => socket.write('+PONG\r\n'), pingDelay)
        else socket.write(reply(name.toLowerCase()))
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  function reply(name: string): string {
    if (name === 'hello') return "-ERR unknown command 'HELLO'\r\n"
    if (name === 'info') return `$${Buffer.byteLength(info)}\r\n${info}\r\n`
    return '+OK\r\n'
  }

  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
