/** One thing that the doctor looked at. */
export interface Finding {
  /** What was looked at: 'lockDuration'. */
  check: string
  queue: string
  level: 'ok' | 'warning' | 'error'
  expected: string
  actual: string
  /** What to do about it; null when all is well. */
  fix: string | null
}
