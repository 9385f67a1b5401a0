/** Between two real threads: nothing is lost, nothing overtakes, and nobody waits for a bell that was not rung. */
import { once } from 'node:events'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { LONGEST } from '../../src/fleet/ring.ts'
import { Wire, type Rest } from '../../src/fleet/wire.ts'

interface Pair extends AsyncDisposable {
  wire: Wire
  worker: Worker
  received: string[]
  /** Resolves when so many texts have come in all; rejects when they stop coming. */
  until(count: number): Promise<void>
}

function pair(rest: Rest = {}, peer: { nap?: boolean } = {}): Pair {
  const [ours, theirs] = Wire.ends()
  const worker = new Worker(new URL('wire-peer.ts', import.meta.url), {
    workerData: { end: theirs, ...peer },
    transferList: [theirs.side],
  })
  const received: string[] = []
  let wanted = Infinity
  let reached = () => {}
  const wire = new Wire(
    ours,
    () => worker.postMessage(0),
    text => {
      received.push(text)
      if (received.length >= wanted) reached()
    },
    rest,
  )
  worker.on('message', () => wire.wake())
  return {
    wire,
    worker,
    received,
    until(count) {
      return new Promise((resolve, reject) => {
        wanted = count
        const late = setTimeout(
          () => reject(new Error(`${received.length} of ${count} came: a wake-up was lost`)),
          20_000,
        )
        reached = () => {
          clearTimeout(late)
          resolve()
        }
        if (received.length >= count) reached()
      })
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate()
      wire.close()
    },
  }
}

/** Deterministic, so that a failure can be seen again. */
function* randoms(seed: number): Generator<number> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state / 2 ** 32
  }
}

describe('Wire', () => {
  it('brings 100,000 messages there and back in order, at random pauses', async () => {
    await using p = pair()
    const random = randoms(42)
    const count = 100_000
    for (let i = 0; i < count; i++) {
      p.wire.send(`echo ${i}`)
      const draw = random.next().value as number
      if (draw < 0.0005) await sleep(draw < 0.0001 ? 3 : 0)
      else if (draw < 0.03) await turn()
    }
    await p.until(count)
    expect(p.received.findIndex((text, i) => text !== String(i))).toBe(-1)
  })

  it('wakes a sleeper every time: one message at a time, 3,000 times', async () => {
    await using p = pair()
    for (let i = 0; i < 3_000; i++) {
      p.wire.send(`echo ${i}`)
      await p.until(i + 1)
    }
    expect(p.received).toHaveLength(3_000)
  })

  it('keeps the order of long and short ones, and every character', async () => {
    await using p = pair()
    const sent = Array.from({ length: 400 }, (_, i) =>
      i % 3 === 0 ? `${i}`.padEnd(LONGEST + i, '語') : `${i} é 😀 \n \u001e`,
    )
    for (const text of sent) p.wire.send(`echo ${text}`)
    await p.until(sent.length)
    expect(p.received.findIndex((text, i) => text !== sent[i])).toBe(-1)
  })

  it('does not hold up a writer whose reader is blocked, and brings everything afterwards', async () => {
    await using p = pair()
    p.wire.send('block 600')
    await sleep(50)
    const before = performance.now()
    // Ten times what the ring holds.
    for (let i = 0; i < 2_600; i++) p.wire.send('x'.repeat(1_000))
    expect(performance.now() - before).toBeLessThan(300)
    p.wire.send('count')
    await p.until(1)
    expect(p.received).toEqual(['2602'])
  })

  it('brings a burst that fills the ring of a thread, and its last words', async () => {
    await using p = pair()
    p.wire.send('burst 50000')
    await p.until(50_000)
    p.wire.send('exit')
    await once(p.worker, 'exit')
    p.wire.drain()
    expect(p.received.at(-1)).toBe('last words')
    expect(p.received).toHaveLength(50_001)
  })

  it('brings the last words of a thread that has said more than the ring holds', async () => {
    await using p = pair()
    p.wire.send('exit after 50000')
    await once(p.worker, 'exit')
    p.wire.drain()
    expect(p.received.at(-1)).toBe('last words')
    expect(p.received).toHaveLength(50_001)
  })

  it('brings what was written while a glance was due that never came, once the other end rests', async () => {
    await using p = pair({ isGlanceDue: () => true })
    p.wire.send('echo one')
    await p.until(1)
    p.wire.send('echo two')
    await p.until(2)
    expect(p.received).toEqual(['one', 'two'])
  })

  it('wakes a peer that naps, and one that has stopped to', async () => {
    await using p = pair({}, { nap: true })
    for (let i = 0; i < 300; i++) {
      p.wire.send(`echo ${i}`)
      await p.until(i + 1)
      // Around the length of a nap: both sides of its end.
      if (i % 3 === 0) await sleep(i % 4)
    }
    expect(p.received).toHaveLength(300)
  })
})
