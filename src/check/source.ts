/** A file of the project as a syntax tree, whose positions are those of the file itself. */
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { parse, type Comment, type Program } from 'acorn'

export interface Source {
  file: string
  tree: Program
  comments: Comment[]
}

const TYPED = /\.[cm]?ts$/

/** Throws a SyntaxError that names the place, as Node would on importing it. */
export function readSource(file: string): Source {
  const text = readFileSync(file, 'utf8')
  const comments: Comment[] = []
  const tree = parse(TYPED.test(file) ? withoutTypes(text) : text, {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowHashBang: true,
    allowReturnOutsideFunction: true,
    locations: true,
    onComment: comments,
  })
  return { file, tree, comments }
}

/** Types become spaces. Node says once that this function of its own may change; that is no news to who checks jobs. */
function withoutTypes(text: string): string {
  const emit = process.emitWarning.bind(process)
  process.emitWarning = () => undefined
  try {
    return stripTypeScriptTypes(text)
  } finally {
    process.emitWarning = emit
  }
}
