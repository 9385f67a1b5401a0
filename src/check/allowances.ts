/**
 * `// runner-allow-sync because it is small` on the line of a finding, or alone on the line above it, silences it. One
 * without a reason, or that silences nothing, is itself a finding.
 */
import { findingAt, type Finding } from './finding.ts'
import type { Source } from './source.ts'

const ALLOW = /^\s*runner-allow-sync\b\s*(.*)$/

export function applyAllowances({ file, comments }: Source, findings: readonly Finding[]): Finding[] {
  let left = [...findings]
  const odd: Finding[] = []
  for (const comment of comments) {
    const [, reason] = ALLOW.exec(comment.value) ?? []
    if (reason === undefined) continue
    const line = comment.loc?.end.line ?? 0
    // On the line of a finding it is of that line alone.
    const own = findings.some(finding => finding.line === line) ? line : line + 1
    const kept = left.filter(finding => finding.line !== own)
    if (reason.trim() === '') {
      odd.push(findingAt(file, comment, 'allowance', 'say why: // runner-allow-sync <reason>'))
    } else if (kept.length === left.length) {
      odd.push(findingAt(file, comment, 'allowance', 'this allows nothing: there is no finding at this line'))
    } else {
      left = kept
    }
  }
  return [...left, ...odd].toSorted((a, b) => a.line - b.line || a.column - b.column)
}
