import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LONGEST, Ring } from '../../src/fleet/ring.ts'

/** Any JavaScript string with sound surrogates, often with characters of 2, 3 and 4 bytes of UTF-8. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.nat(LONGEST).chain(length => fc.constantFrom('a', 'é', '語').map(unit => unit.repeat(length))),
)

const ASIDE = Symbol('aside')

describe('Ring', () => {
  it('gives out what was put in, in order, whatever is written and read when', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: text },
      { weight: 4, arbitrary: fc.constant('read' as const).map(() => undefined) },
      { weight: 1, arbitrary: fc.constant(ASIDE) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), steps => {
        const ring = new Ring()
        const expected: (string | null)[] = []
        for (const one of steps) {
          if (one === undefined) expect(ring.read()).toBe(expected.shift())
          else if (one === ASIDE) {
            if (ring.writeAside(() => undefined)) expected.push(null)
          } else if (ring.write(one)) expected.push(one)
        }
        for (const one of expected) expect(ring.read()).toBe(one)
        expect(ring.read()).toBeUndefined()
      }),
      { numRuns: 200 },
    )
  })

  it('wraps round its end many times, also with texts that just fit and just do not', () => {
    const ring = new Ring()
    for (let i = 0; i < 2_000; i++) {
      const sent = `${i}:`.padEnd((i * 7919) % LONGEST, '語')
      expect(ring.write(sent)).toBe(true)
      expect(ring.read()).toBe(sent)
    }
  })

  it('goes on when its counters pass 2^31 and 2^32', () => {
    const ring = new Ring()
    const words = new Int32Array(ring.memory)
    for (const start of [0x7fff_ff00 | 0, 0xffff_ff00 | 0]) {
      words[0] = start
      words[16] = start
      for (let i = 0; i < 100; i++) {
        expect(ring.write(`message ${i}`)).toBe(true)
        expect(ring.read()).toBe(`message ${i}`)
      }
    }
  })

  it('refuses what does not fit and takes it once there is room', () => {
    const ring = new Ring()
    const long = 'x'.repeat(LONGEST)
    let written = 0
    while (ring.write(long)) written++
    expect(written).toBeGreaterThan(4)
    let put = 0
    while (ring.writeAside(() => put++));
    const asides = put
    expect(ring.writeAside(() => put++)).toBe(false)
    expect(put).toBe(asides)
    for (let i = 0; i < written; i++) expect(ring.read()).toBe(long)
    for (let i = 0; i < asides; i++) expect(ring.read()).toBeNull()
    expect(ring.read()).toBeUndefined()
    expect(ring.write(long)).toBe(true)
    expect(ring.read()).toBe(long)
  })

  it('asks for one doorbell for each sleep, and does not let a reader sleep on a message', () => {
    const ring = new Ring()
    expect(ring.mustRing()).toBe(false)
    expect(ring.sleep()).toBe(true)
    ring.write('one')
    expect(ring.mustRing()).toBe(true)
    ring.write('two')
    expect(ring.mustRing()).toBe(false)
    expect(ring.sleep()).toBe(false)
    ring.read()
    ring.read()
    expect(ring.sleep()).toBe(true)
  })
})
