/** Whether a heap grows, told from samples of what it holds after a collection. */
import { bytes, formatMebibytes } from '../src/units.ts'
import { median } from './measure.ts'

export interface HeapSample {
  /** Milliseconds. */
  at: number
  /** Bytes. */
  heap: number
  rss: number
}

export interface Growth {
  isGrowing: boolean
  text: string
}

/** Caches fill, code is compiled and statistics find their size first. */
const WARM_UP = 0.2
const ALLOWED = 0.1

export function growthOf(samples: readonly HeapSample[]): Growth {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP))
  const [first, last] = [warm[0], warm.at(-1)]
  if (first === undefined || last === undefined || warm.length < 10) throw new Error('the soak was too short')
  const slope = slopeOf(warm.map(({ at, heap }) => [at, heap]))
  const held = median(warm.map(({ heap }) => heap))
  const grown = slope * (last.at - first.at)
  const perHour = (slope * 3_600_000) / bytes('1MiB')
  return {
    isGrowing: grown > held * ALLOWED,
    text: `supervisor: ${formatMebibytes(held)} of heap after collections, slope ${perHour.toFixed(2)} MiB/h, rss ${formatMebibytes(first.rss)} -> ${formatMebibytes(last.rss)}, over ${Math.round((last.at - first.at) / 1000)} s`,
  }
}

/** Theil and Sen's, the median of the slopes of all pairs of (x, y): no single peak moves it. At least two points. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes: number[] = []
  const step = Math.max(1, Math.floor(points.length / 300))
  for (let i = 0; i < points.length; i += step)
    for (let j = i + step; j < points.length; j += step) {
      const [[x, y], [later, end]] = [points[i] as [number, number], points[j] as [number, number]]
      slopes.push((end - y) / (later - x))
    }
  return median(slopes)
}
