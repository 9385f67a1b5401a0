import { describe, expect, it } from 'vitest'
import { PartBuffers } from '../../src/store/part-buffers.ts'
import { PartWriter, partSizeOf, type PartTarget } from '../../src/store/part-writer.ts'

const MIB = 1024 ** 2

describe('sizes of parts', () => {
  const bytesOf = (parts: number) => {
    let bytes = 0
    for (let number = 1; number <= parts; number++) bytes += partSizeOf(number, 5 * MIB)
    return bytes
  }

  it('make 5 TiB fit into 10,000 parts', () => {
    expect(bytesOf(10_000)).toBeGreaterThanOrEqual(5 * 1024 ** 4)
    expect(partSizeOf(10_000, 5 * MIB)).toBeLessThanOrEqual(5 * 1024 ** 3)
    expect(partSizeOf(10_000, 1024 ** 3)).toBe(5 * 1024 ** 3)
  })

  it('grow no sooner than they have to', () => {
    expect(bytesOf(970)).toBeGreaterThan(4.7 * 1024 ** 3)
    expect(partSizeOf(970, 5 * MIB)).toBe(5 * MIB)
    let parts = 0
    while (bytesOf(parts) < 50 * 1024 ** 3) parts += 50
    expect(partSizeOf(parts, 5 * MIB)).toBeLessThanOrEqual(40 * MIB)
  })
})

/** Parts that are stored when they are told to. */
function target() {
  const onWay: (() => void)[] = []
  const bodies: number[] = []
  const it: PartTarget = {
    put: async body => void bodies.push(body.length),
    create: async () => 'upload',
    part: async (_upload, number, body) => {
      await new Promise<void>(resolve => onWay.push(resolve))
      bodies.push(body.length)
      return { ETag: String(number), PartNumber: number }
    },
    complete: async () => {},
    abort: async () => {},
    remove: async () => {},
  }
  return { it, onWay, bodies }
}

describe('memory of parts', () => {
  it('is (queue + 1) parts at most, however much is written', async () => {
    const buffers = new PartBuffers(1_000)
    const { it: slow, onWay } = target()
    const writer = new PartWriter(slow, buffers, { partSize: 1_000, queue: 2 })
    for (let i = 0; i < 100; i++) writer.write(Buffer.alloc(100))
    await expect.poll(() => onWay.length).toBe(2)
    expect(buffers.bytes).toBe(3_000)
    onWay.shift()!()
    await expect.poll(() => onWay.length).toBe(2)
    expect(buffers.bytes).toBe(3_000)
    writer.destroy()
    onWay.forEach(goOn => goOn())
    await writer.settled
    expect(buffers.bytes).toBe(0)
  })

  it('is one part for each of many files when all of them are slow', async () => {
    const buffers = new PartBuffers(1_000, 4_000)
    const writers = Array.from({ length: 10 }, () => {
      const { it: slow, onWay, bodies } = target()
      return { writer: new PartWriter(slow, buffers, { partSize: 1_000, queue: 2 }), onWay, bodies }
    })
    for (const { writer } of writers) writer.write(Buffer.alloc(5_000))
    await expect.poll(() => writers.every(({ onWay }) => onWay.length > 0)).toBe(true)
    // Each has one, and the budget of those that came first is not exceeded by the others' second.
    expect(buffers.bytes).toBeLessThanOrEqual(13_000)
    for (const { writer } of writers) writer.end()
    for (let waiting = writers; waiting.length > 0;) {
      for (const { onWay } of waiting) onWay.splice(0).forEach(goOn => goOn())
      await new Promise(resolve => setImmediate(resolve))
      waiting = waiting.filter(({ writer }) => !writer.writableFinished)
    }
    expect(writers.map(({ bodies }) => bodies.reduce((sum, size) => sum + size, 0))).toEqual(
      Array(10).fill(5_000),
    )
    expect(buffers.bytes).toBe(0)
  })
})
