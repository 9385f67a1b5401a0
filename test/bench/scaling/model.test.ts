/** The cheap proof that the number does not flap: an hour in the closed loop, with the estimate as it is. */
import { expect, it } from 'vitest'
import { modelled } from '../../../bench/scaling/model.ts'

const SEEDS = [1, 2, 3]

it.each(['steady', 'sawtooth'] as const)(
  'starts the fewest pods and stops the fewest busy ones: %s',
  load => {
    const [list, both, ours] = (['list', 'wait+active', 'ours'] as const).map(signal =>
      modelled(load, signal, SEEDS),
    )
    for (const figure of ['starts', 'evictions'] as const) {
      expect(ours?.[figure]).toBeLessThan(both?.[figure] ?? 0)
      expect(both?.[figure]).toBeLessThan(list?.[figure] ?? 0)
    }
    // And not by having twice the pods.
    expect(ours?.replicas).toBeLessThan(1.2 * (both?.replicas ?? 0))
    expect(ours?.p95).toBeLessThan(1)
  },
)

it('starts no more pods than others for bursts, which are over before any of them is', () => {
  expect(modelled('burst', 'ours', SEEDS).starts).toBeLessThanOrEqual(modelled('burst', 'list', SEEDS).starts)
})
