/**
 * Finds job files without importing one.
 *
 * A file's path names its job: `jobs/emails/send.ts` is `emails/send`. Files are found in a fixed order. What is
 * not a job is skipped (README.md, data, tests, declarations, names that start with `_` or `.`); what looks like
 * one and cannot be is reported as broken, never thrown.
 */
import { readdirSync, realpathSync, statSync, type Dirent } from 'node:fs'
import { extname, join, relative, resolve, sep } from 'node:path'
import { messageOf } from '../errors.ts'
import { classify } from './file-kind.ts'
import { shortPath } from './file-path.ts'
import type { BrokenFile, JobFile } from './manifest.ts'

export interface Discovery {
  /** Sorted by name; each name once. */
  files: JobFile[]
  broken: BrokenFile[]
  /** Roots, as they were given, that are not folders. Whether that is an error is the caller's to say. */
  missing: string[]
}

interface Walk {
  root: string
  cwd: string
  found: JobFile[]
  broken: BrokenFile[]
}

/** Walks `roots`, taken relative to `cwd`. */
export function discover(roots: string[], cwd: string): Discovery {
  const found: JobFile[] = []
  const broken: BrokenFile[] = []
  const missing: string[] = []
  const folders = new Set<string>()
  for (const root of roots) {
    const folder = folderAt(resolve(cwd, root))
    if (folder === undefined) missing.push(root)
    else folders.add(folder)
  }
  for (const root of folders) walk(root, [root], { root, cwd, found, broken })
  return { ...withoutDuplicates(found, broken, cwd), missing }
}

function folderAt(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats?.isDirectory() ? realpathSync(path) : undefined
}

/** `ancestors` are real paths: a link back to one of them would be walked for ever. */
function walk(folder: string, ancestors: string[], state: Walk): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort(byName)) {
    if (isSkipped(entry.name)) continue
    const path = join(folder, entry.name)
    try {
      visit(path, entry, ancestors, state)
    } catch (error) {
      report(state, path, messageOf(error))
    }
  }
}

function visit(path: string, entry: Dirent, ancestors: string[], state: Walk): void {
  const real = entry.isSymbolicLink() ? followLink(path, state) : path
  if (real === undefined) return
  const stats = statSync(real)
  if (stats.isDirectory()) {
    if (!ancestors.includes(real)) walk(path, [...ancestors, real], state)
    return
  }
  if (!stats.isFile()) return
  const kind = classify(real, stats.mode)
  if (kind === 'other') return
  const name = nameOf(state.root, path)
  const fault = kind === 'not executable' ? kind : nameFault(name)
  if (fault === undefined) state.found.push({ name, file: real, kind: kind as JobFile['kind'] })
  else if (fault === 'not executable') {
    const fix = `chmod +x ${shortPath(path, state.cwd)}`
    report(state, path, 'starts with #! but is not executable', fix)
  } else report(state, path, fault, 'name it with letters, digits and - _ . @ + =')
}

/** The real path, or `undefined` after reporting a link that leads nowhere or out of its root. */
function followLink(path: string, state: Walk): string | undefined {
  const target = statSync(path, { throwIfNoEntry: false })
  if (target === undefined) return report(state, path, 'is a link to nothing')
  const real = realpathSync(path)
  if (real === state.root || real.startsWith(state.root + sep)) return real
  return report(state, path, `is a link out of ${shortPath(state.root, state.cwd)}, to ${real}`)
}

function report(state: Walk, path: string, reason: string, hint?: string): undefined {
  state.broken.push({
    file: path,
    name: nameOf(state.root, path),
    code: 'JOB_FILE_INVALID',
    message: `${shortPath(path, state.cwd)}: ${reason}`,
    ...(hint === undefined ? {} : { hint }),
  })
}

const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : 1)

const isSkipped = (name: string): boolean =>
  /^[._]/.test(name) || name === 'node_modules' || /\.d\.[cm]?ts$|\.(test|spec)\.[^.]+$/.test(name)

const nameOf = (root: string, path: string): string =>
  relative(root, path)
    .slice(0, -extname(path).length || undefined)
    .split(sep)
    .join('/')

/** A name is typed in shells and is part of BullMQ's keys and ids, which it separates by ":". */
export function nameFault(name: string): string | undefined {
  const wrong = /[^\p{L}\p{M}\p{N}_.@+=/-]/u.exec(name)?.[0]
  if (wrong !== undefined) return `a job name cannot contain ${JSON.stringify(wrong)}`
  return name.startsWith('-') ? 'a job name cannot start with "-"' : undefined
}

function withoutDuplicates(found: JobFile[], broken: BrokenFile[], cwd: string): Omit<Discovery, 'missing'> {
  const files: JobFile[] = []
  for (const [name, claimants] of Map.groupBy(found, file => file.name)) {
    const [only, ...others] = claimants
    if (only !== undefined && others.every(other => other.file === only.file)) files.push(only)
    else broken.push(...claimants.map(file => duplicate(name, file, claimants, cwd)))
  }
  return { files: files.sort((a, b) => (a.name < b.name ? -1 : 1)), broken }
}

function duplicate(name: string, { file }: JobFile, claimants: JobFile[], cwd: string): BrokenFile {
  const others = claimants.filter(other => other.file !== file).map(other => shortPath(other.file, cwd))
  const message = `${shortPath(file, cwd)}: the job name ${name} is also that of ${others.join(', ')}`
  return { file, name, code: 'JOB_DUPLICATE', message, hint: 'rename one; neither is loaded' }
}
