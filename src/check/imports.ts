/** Which files of the project a file imports. What comes from packages is not looked into. */
import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { simple } from 'acorn-walk'
import type { Source } from './source.ts'

/** What a specifier may leave out (CommonJS), and what stands for another (a `.js` that is written in TypeScript). */
const SUFFIXES = ['', '.ts', '.mts', '.js', '.mjs', '.cjs', '.cts', '/index.ts', '/index.js']

/** Real paths, in the order of the file. One that does not exist is left out: the import itself reports it. */
export function importsOf({ file, tree }: Source): string[] {
  const found: string[] = []
  const add = (specifier: unknown) => {
    if (typeof specifier !== 'string' || !/^(\.{1,2}\/|file:|\/)/.test(specifier)) return
    const at = locate(specifier, file)
    if (at !== undefined && !found.includes(at)) found.push(at)
  }
  simple(tree, {
    ImportDeclaration: node => add(node.source.value),
    ExportNamedDeclaration: node => add(node.source?.value),
    ExportAllDeclaration: node => add(node.source.value),
    ImportExpression: node => add(node.source.type === 'Literal' ? node.source.value : undefined),
    CallExpression: node => {
      const [first] = node.arguments
      const isRequire = node.callee.type === 'Identifier' && node.callee.name === 'require'
      if (isRequire && first?.type === 'Literal') add(first.value)
    },
  })
  return found
}

function locate(specifier: string, from: string): string | undefined {
  const path = specifier.startsWith('file:')
    ? fileURLToPath(new URL(specifier, pathToFileURL(from)))
    : resolve(dirname(from), specifier)
  const candidates = [...SUFFIXES.map(suffix => path + suffix), path.replace(/\.([cm]?)js$/, '.$1ts')]
  return candidates.find(
    at => /\.[cm]?[jt]s$/.test(at) && statSync(at, { throwIfNoEntry: false })?.isFile() === true,
  )
}
