/** Writes files that do not exist yet, all or none. */
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { RunnerError } from '../errors.ts'
import { shortPath } from '../job/file-path.ts'

/** `files`: path in `dir` -> text; `#!` makes it executable. Throws FILE_EXISTS, with nothing written. */
export function writeNew(dir: string, files: Record<string, string>): string[] {
  const paths = Object.keys(files)
  const existing = paths.map(path => join(dir, path)).filter(path => existsSync(path))
  if (existing.length > 0) throw fileExists(existing)
  for (const [path, text] of Object.entries(files)) {
    const file = join(dir, path)
    mkdirSync(dirname(file), { recursive: true })
    // 'wx': a file made since the look above is not overwritten either.
    writeFileSync(file, text, { flag: 'wx' })
    if (text.startsWith('#!')) chmodSync(file, 0o755)
  }
  return paths
}

export function fileExists(files: readonly string[]): RunnerError {
  const names = files.map(file => shortPath(file))
  const verb = names.length === 1 ? 'exists' : 'exist'
  return new RunnerError('FILE_EXISTS', `${names.join(', ')} ${verb} already`, {
    hint: 'nothing was written; move or remove what is there',
    details: names,
  })
}

/** False when the line is there already. */
export function appendLine(file: string, line: string): boolean {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  if (text.split(/\r?\n/).includes(line)) return false
  appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`)
  return true
}
