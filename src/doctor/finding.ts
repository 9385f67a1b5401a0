/** One thing that the doctor looked at. */
export interface Finding {
  /** What was looked at: 'lockDuration'. */
  check: string
  /** null: it is about Redis, or a host, and so about all queues. */
  queue: string | null
  /** 'unknown': it could not be looked at, and `actual` says why. */
  level: Level
  expected: string
  actual: string
  /** What to do about it; null when all is well. */
  fix: string | null
}

export type Level = 'ok' | 'unknown' | 'warning' | 'error'

export type Judgement = Omit<Finding, 'check' | 'queue'>

export const ok = (expected: string, actual: string): Judgement => ({
  level: 'ok',
  expected,
  actual,
  fix: null,
})

export const bad = (
  level: Exclude<Level, 'ok'>,
  expected: string,
  actual: string,
  fix: string,
): Judgement => ({ level, expected, actual, fix })
