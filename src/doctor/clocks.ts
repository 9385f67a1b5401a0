/** Hosts whose clock is not that of Redis: delays and schedules are counted by the clocks of those who work and add. */
import { hostname } from 'node:os'
import { formatMilliseconds } from '../units.ts'
import { bad, ok, type Finding, type Judgement } from './finding.ts'
import type { Survey } from './survey.ts'

/** Milliseconds. */
const NOTABLE = 500
const WRONG = 2_000

export function clockFindings({ live, skew }: Pick<Survey, 'live' | 'skew'>): Finding[] {
  // Replicas of one host have one clock; the one that is furthest off was measured best.
  const hosts = new Map([[hostname(), skew]])
  for (const { host, skew: measured = 0 } of live) {
    if (Math.abs(measured) >= Math.abs(hosts.get(host) ?? 0)) hosts.set(host, measured)
  }
  return [...hosts].map(([host, off]) => ({ check: 'clock', queue: null, ...judgeSkew(host, off) }))
}

function judgeSkew(host: string, skew: number): Judgement {
  const expected = `within ${formatMilliseconds(NOTABLE)} of Redis`
  const off = Math.abs(skew)
  const shown = `${formatMilliseconds(off)} ${skew > 0 ? 'ahead' : 'behind'}`
  if (off <= NOTABLE) return ok(expected, off === 0 ? `${host} is` : `${host} is ${shown}`)
  const actual = `${host} is ${shown}: delays and schedules are off by that`
  const fix = `set the clock of ${host} (timedatectl set-ntp true), or that of Redis if all hosts differ alike`
  return bad(off > WRONG ? 'error' : 'warning', expected, actual, fix)
}
