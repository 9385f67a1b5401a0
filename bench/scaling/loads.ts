/** What is added to the queue: so many jobs a second at each moment, and a dice that falls the same way every time. */

export type Load = 'steady' | 'sawtooth' | 'burst'

/** Seconds that a job takes in the mean, by an exponential distribution. */
export const JOB_SECONDS = 2

/** Jobs a second, `at` seconds after the start. One replica with 5 slots does 2.5. */
export const LOADS: Record<Load, (at: number) => number> = {
  steady: () => 8,
  // Up for ten minutes, then back at once.
  sawtooth: at => 1 + (8 * (at % 600)) / 600,
  // Two minutes in fifteen.
  burst: at => (at % 900 < 120 ? 12 : 0.5),
}

/** Of Numerical Recipes. 0 to 1. */
export function dice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** How many come in a while in which `mean` are expected. */
export function poisson(mean: number, roll: () => number): number {
  const limit = Math.exp(-mean)
  let product = roll()
  let count = 0
  for (; product > limit; product *= roll()) count++
  return count
}

export const exponential = (mean: number, roll: () => number): number => -mean * Math.log(1 - roll())
