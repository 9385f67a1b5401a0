/**
 * Durations ('250ms' '30s' '5m' '2h' '1d') and sizes ('64KiB' '10MB') as people write them.
 * A number is taken as it is: milliseconds or bytes. Anything else is refused with the option and the value.
 */
import { z } from 'zod'
import { RunnerError, messageOf } from './errors.ts'

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const BYTES = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
} as const

export type Duration = number | `${number}${keyof typeof MILLISECONDS}`
export type Size = number | `${number}${keyof typeof BYTES}`

/** '1.5s' -> 1500. Throws a plain Error whose message names the value and the form. */
export function milliseconds(value: string | number): number {
  return read(value, MILLISECONDS, 'a duration such as 250ms, 30s, 5m, 2h or 1d')
}

/** '64KiB' -> 65536. Throws a plain Error whose message names the value and the form. */
export function bytes(value: string | number): number {
  return read(value, BYTES, 'a size such as 64KiB, 10MB or 2GiB')
}

function read(value: string | number, units: Record<string, number>, form: string): number {
  if (typeof value === 'number') {
    if (Number.isFinite(value) && value >= 0) return Math.round(value)
  } else {
    const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(value.trim()) ?? []
    const factor = unit === undefined || !Object.hasOwn(units, unit) ? undefined : units[unit]
    if (digits !== undefined && factor !== undefined) return Math.round(Number(digits) * factor)
  }
  throw new Error(`expected ${form}, got ${JSON.stringify(value)}`)
}

/** 90_000 -> '1.5m': the shortest exact-enough way to print a duration. */
export function formatMilliseconds(ms: number): string {
  for (const [unit, size] of Object.entries(MILLISECONDS).toReversed()) {
    if (ms >= size && unit !== 'ms') return `${Math.round((ms / size) * 10) / 10}${unit}`
  }
  return `${Math.round(ms)}ms`
}

const unit = (parse: (value: string | number) => number) =>
  z.union([z.string(), z.number()]).transform((value, ctx) => {
    try {
      return parse(value)
    } catch (error) {
      ctx.addIssue({ code: 'custom', message: messageOf(error), input: value })
      return z.NEVER
    }
  })

/** '512 MiB', rounded. */
export function formatMebibytes(size: number): string {
  return `${Math.round(size / bytes('1MiB'))} MiB`
}

/** zod schema: duration in, milliseconds out. */
export const duration = () => unit(milliseconds)
/** zod schema: size in, bytes out. */
export const size = () => unit(bytes)

/** Parses one named option, or throws a coded error that names it. */
export function durationOption(name: string, value: string | number): number {
  try {
    return milliseconds(value)
  } catch (error) {
    throw new RunnerError('USAGE', `${name}: ${messageOf(error)}`)
  }
}
