/** What in the code of jobs may hold their event loop: in their files, and in what those import from the project. */
import { messageOf } from '../errors.ts'
import { applyAllowances } from './allowances.ts'
import { blockingCalls } from './calls.ts'
import type { Finding } from './finding.ts'
import { importsOf } from './imports.ts'
import { blockingLoops } from './loops.ts'
import { readSource, type Source } from './source.ts'

export interface CheckResult {
  /** Files that were read, in the order in which they were reached. */
  files: string[]
  findings: Finding[]
  /** Files that cannot be parsed, and why. */
  unreadable: { file: string; message: string }[]
}

/** `entries`: absolute paths. No file is run. */
export function checkFiles(entries: readonly string[]): CheckResult {
  const files: string[] = []
  const findings: Finding[] = []
  const unreadable: CheckResult['unreadable'] = []
  const waiting = [...entries]
  const seen = new Set(waiting)
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    let source: Source
    try {
      source = readSource(file)
    } catch (error) {
      unreadable.push({ file, message: messageOf(error) })
      continue
    }
    files.push(file)
    findings.push(...applyAllowances(source, [...blockingCalls(source), ...blockingLoops(source)]))
    for (const imported of importsOf(source)) {
      if (seen.has(imported)) continue
      seen.add(imported)
      waiting.push(imported)
    }
  }
  return { files, findings, unreadable }
}
