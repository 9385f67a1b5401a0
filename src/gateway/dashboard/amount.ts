/** Numbers as the page says them. */
import { bytes, formatMilliseconds } from '../../units.ts'

/** '12,345', '0.4' */
export function count(value: number): string {
  const digits = value < 10 ? 1 : 0
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}

/** '4.2s', '3m'; '-' for null. To the tenth of a second below a minute, and to the minute above. */
export function age(ms: number | null): string {
  if (ms === null) return '-'
  const step = ms < 60_000 ? 100 : 60_000
  return formatMilliseconds(Math.round(ms / step) * step)
}

/** '12/s', '2/min' where that says more; '-' for none, and where it is not known. */
export function rate(perSecond: number | null): string {
  if (perSecond === null || perSecond === 0) return '-'
  return perSecond < 0.1 ? `${count(perSecond * 60)}/min` : `${count(perSecond)}/s`
}

/** '512 B', '3.4 MiB' */
export function size(value: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const)
    if (value >= bytes(`1${unit}`)) return `${count(value / bytes(`1${unit}`))} ${unit}`
  return `${value} B`
}

/** '14:03:12Z' */
export const time = (at: number): string => `${new Date(at).toISOString().slice(11, 19)}Z`
