/** How messages name a file: relative to the folder the command runs in, absolute when it lies elsewhere. */
import { isAbsolute, relative } from 'node:path'

export function shortPath(file: string, cwd = process.cwd()): string {
  const path = relative(cwd, file)
  return path === '' || path.startsWith('..') || isAbsolute(path) ? file : path
}
