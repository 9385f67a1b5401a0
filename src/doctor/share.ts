/** How much of something that has an end is used. */
import { bad, ok, type Judgement } from './finding.ts'

const NEAR = 0.8
const AT_THE_END = 0.95

export interface Share {
  used: number
  /** 0: there is none, or it is not known. */
  limit: number
  consequence: string
  fix: string
  show: (amount: number) => string
}

export function judgeShare({ used, limit, consequence, fix, show }: Share): Judgement {
  if (limit === 0) return ok('a limit that is far', `${show(used)}, without a limit`)
  const share = used / limit
  const expected = `at most ${NEAR * 100}% of ${show(limit)}`
  const actual = `${Math.round(share * 100)}%`
  if (share <= NEAR) return ok(expected, actual)
  return bad(share > AT_THE_END ? 'error' : 'warning', expected, `${actual}: ${consequence}`, fix)
}
