/** The other end of a wire, in a thread of its own: sends back whatever it is told, or what `mode` says. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { Wire, type WireEnd } from '../../src/fleet/wire.ts'

const port = parentPort as MessagePort
const { end, nap = false } = workerData as { end: WireEnd; nap?: boolean }

let count = 0
const wire: Wire = new Wire(
  end,
  () => port.postMessage(0),
  text => {
    count++
    if (text.startsWith('echo ')) wire.send(text.slice(5))
    else if (text.startsWith('block ')) {
      const until = performance.now() + Number(text.slice(6))
      while (performance.now() < until);
    } else if (text === 'count') wire.send(String(count))
    else if (text.startsWith('burst ')) {
      for (let i = 0; i < Number(text.slice(6)); i++) wire.send(`${i}`)
    } else if (text === 'exit' || text.startsWith('exit after ')) {
      for (let i = 0; i < Number(text.slice(11)); i++) wire.send(`${i}`)
      wire.send('last words')
      wire.flush(5_000)
      process.exit(3)
    }
  },
  { mayNap: () => nap, reminds: true },
)
port.on('message', () => wire.wake())
