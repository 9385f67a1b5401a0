/** The arithmetic that the comparison of signals stands on: as Kubernetes' autoscaler does it. */
import { expect, it } from 'vitest'
import { Hpa, type HpaSpec } from '../../../bench/scaling/hpa.ts'

const SPEC: HpaSpec = {
  minReplicas: 1,
  maxReplicas: 40,
  tolerance: 0.1,
  scaleUp: {
    stabilizationWindowSeconds: 0,
    policies: [
      { type: 'Percent', value: 100, periodSeconds: 15 },
      { type: 'Pods', value: 4, periodSeconds: 15 },
    ],
    selectPolicy: 'Max',
  },
  scaleDown: {
    stabilizationWindowSeconds: 0,
    policies: [{ type: 'Percent', value: 25, periodSeconds: 60 }],
    selectPolicy: 'Min',
  },
}

/** Sizes after each sync, every 15 s, beginning with `size`. */
function sizes(spec: HpaSpec, size: number, metrics: number[], target = 1): number[] {
  const hpa = new Hpa(spec)
  let now = 0
  return metrics.map(metric => (size = hpa.sync((now += 15), size, metric, target)))
}

it('divides the sum by the target, and rounds up', () => {
  expect(sizes(SPEC, 2, [31], 10)).toEqual([4])
  expect(sizes(SPEC, 3, [30], 10)).toEqual([3])
})

it('does nothing within the tolerance', () => {
  expect(sizes(SPEC, 10, [10.9])).toEqual([10])
  expect(sizes(SPEC, 10, [11.1])).toEqual([12])
  expect(sizes(SPEC, 10, [9.1])).toEqual([10])
})

it('doubles in 15 s, or adds four, whichever is more', () => {
  expect(sizes(SPEC, 1, [40, 40, 40, 40])).toEqual([5, 10, 20, 40])
})

it('takes a quarter in 60 s, counted from what there was when they began', () => {
  expect(sizes(SPEC, 16, [1, 1, 1, 1, 1, 1])).toEqual([12, 12, 12, 12, 9, 9])
})

it('goes down to the most that was recommended within the window', () => {
  const spec = { ...SPEC, scaleDown: { ...SPEC.scaleDown, stabilizationWindowSeconds: 60 } }
  // A dip that is shorter than the window is not seen; one that is longer is, by the most of its minute.
  expect(sizes(spec, 8, [8, 2, 2, 8, 2, 2, 2, 2, 2])).toEqual([8, 8, 8, 8, 8, 8, 8, 6, 6])
})

it('goes up to the least that was recommended within its own', () => {
  const spec = { ...SPEC, scaleUp: { ...SPEC.scaleUp, stabilizationWindowSeconds: 60 } }
  expect(sizes(spec, 2, [6, 6, 2, 6, 6, 6, 6, 6])).toEqual([2, 2, 2, 2, 2, 2, 6, 6])
})

it('never leaves its bounds', () => {
  expect(sizes({ ...SPEC, maxReplicas: 6 }, 5, [500])).toEqual([6])
  expect(sizes({ ...SPEC, minReplicas: 2 }, 2, [0])).toEqual([2])
})
