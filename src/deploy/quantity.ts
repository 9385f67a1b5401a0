/** Amounts as Kubernetes writes them: '512Mi', '1Gi', '250m'. */
import { bytes } from '../units.ts'

const MEBIBYTE = bytes('1MiB')
const FACTORS: Record<string, number> = {
  '': 1,
  m: 0.001,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
}

export function memoryQuantity(size: number): string {
  const mebibytes = Math.ceil(size / MEBIBYTE)
  return mebibytes % 1024 === 0 ? `${mebibytes / 1024}Gi` : `${mebibytes}Mi`
}

export function cpuQuantity(cores: number): string {
  return Number.isInteger(cores) ? String(cores) : `${Math.round(cores * 1_000)}m`
}

/** Bytes or cores; undefined: it is none. */
export function readQuantity(value: unknown): number | undefined {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(String(value)) ?? []
  const factor = FACTORS[unit]
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor
}
