/** One place in the code of a job that may hold its event loop. */

type Rule = 'sync-call' | 'loop' | 'json' | 'allowance'

/** `line` and `column` count from 1. */
export interface Finding {
  file: string
  line: number
  column: number
  rule: Rule
  message: string
}

interface Located {
  loc?: { start: { line: number; column: number } } | null
}

export function findingAt(file: string, { loc }: Located, rule: Rule, message: string): Finding {
  const { line, column } = loc?.start ?? { line: 1, column: 0 }
  return { file, line, column: column + 1, rule, message }
}
