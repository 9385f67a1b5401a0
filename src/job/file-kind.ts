/** What a file in a job folder is, told by its extension, its first two bytes and its executable bit. */
import { closeSync, openSync, readSync } from 'node:fs'

const MODULE = /\.[cm]?[tj]s$/

/**
 * - `executable`: starts with `#!` and may be executed, whatever its extension;
 * - `module`: .ts .mts .cts .js .mjs .cjs otherwise;
 * - `not executable`: starts with `#!`, is no module and may not be executed, which is a mistake;
 * - `other`: everything else.
 */
export function classify(file: string, mode: number): 'module' | 'executable' | 'not executable' | 'other' {
  const isModule = MODULE.test(file)
  if (!hasInterpreter(file)) return isModule ? 'module' : 'other'
  if ((mode & 0o111) !== 0) return 'executable'
  return isModule ? 'module' : 'not executable'
}

function hasInterpreter(file: string): boolean {
  const bytes = Buffer.alloc(2)
  const descriptor = openSync(file, 'r')
  try {
    readSync(descriptor, bytes, 0, 2, 0)
  } finally {
    closeSync(descriptor)
  }
  return bytes.toString('latin1') === '#!'
}
