/** A verification as a table for people; one line for each fault, and each violation by name. */
import { textTable } from '../table.ts'
import { formatMilliseconds } from '../units.ts'
import { isViolated, percentile, type Verdict } from './oracle.ts'

export interface FaultReport extends Omit<Verdict, 'recovery'> {
  fault: string
  /** Milliseconds until a job that ran at the faulty replica had started again; null when none had to. */
  recovery: { p50: number; p99: number } | null
  violated: boolean
}

const COLUMNS = [
  'fault',
  'jobs',
  'runs',
  'lost',
  'double',
  'stale',
  'failed',
  'superseded',
  'recovery p50',
  'p99',
]

export function reportOf(fault: string, verdict: Verdict): FaultReport {
  const { recovery, ...rest } = verdict
  const times =
    recovery.length === 0 ? null : { p50: percentile(recovery, 0.5), p99: percentile(recovery, 0.99) }
  return { fault, ...rest, recovery: times, violated: isViolated(verdict) }
}

export function tableOf(reports: readonly FaultReport[]): string {
  const rows = reports.map(({ fault, jobs, runs, lost, double, stale, failed, superseded, recovery }) =>
    [
      [fault, jobs, runs, lost.length, double.length, stale.length, failed.length, superseded],
      recovery === null ? ['-', '-'] : [recovery.p50, recovery.p99].map(formatMilliseconds),
    ]
      .flat()
      .map(String),
  )
  return [textTable([COLUMNS, ...rows], COLUMNS.length - 1), ...reports.flatMap(violationsOf)].join('\n')
}

function violationsOf({ fault, lost, double, stale, failed }: FaultReport): string[] {
  const all = Object.entries({ lost, double, stale, failed })
  return all.flatMap(([kind, jobs]) => jobs.map(job => `${fault}: ${kind}: job ${job}`))
}
