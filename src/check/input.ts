/**
 * What came with the job, told from names: `args`, also as it is destructured (`{ args: { rows } }`), `job.data` of
 * BullMQ's processors, and a variable that was made from either in one step or more. Names are those of a whole file:
 * one that is input in one function is taken for input in the others. What was awaited is something else.
 */
import type { Node } from 'acorn'
import { full, simple } from 'acorn-walk'
import { isFunction } from './calls.ts'
import type { Source } from './source.ts'

/** Their functions give what they are given in another shape: `Object.entries(args.totals)`, `new Set(rows)`. */
const SHAPES = new Set(['Object', 'Array', 'Set', 'Map'])

type Fields = Record<string, unknown>
type Names = ReadonlySet<string>

export function namesOfInput(tree: Source['tree']): Names {
  const names = new Set(['args'])
  simple(tree, {
    ObjectPattern({ properties }) {
      for (const one of properties) {
        const isArgs =
          one.type === 'Property' && !one.computed && (one.key as { name?: string }).name === 'args'
        if (isArgs) addNames(one.value, names)
      }
    },
  })
  for (let before = 0; before < names.size;) {
    before = names.size
    simple(tree, {
      VariableDeclarator({ id, init }) {
        if (init && isInput(init, names)) addNames(id, names)
      },
    })
  }
  return names
}

/** The names that are input at the end of `ancestors`: with elements of input, without the rest parameters of others. */
export function namesAt(ancestors: readonly Node[], ofFile: Names): Names {
  const names = new Set(ofFile)
  for (const node of ancestors) {
    const { type, params, left, right } = node as unknown as Fields
    if (isFunction(node)) {
      for (const param of params as Node[]) if (param.type === 'RestElement') removeNames(param, names)
    } else if (type === 'ForOfStatement' && isInput(right as Node, names)) addNames(left as Node, names)
  }
  return names
}

/** `rows`, `args.rows`, `ctx.args.rows.length`, `[...rows]`, `rows.slice(1)`, `args.rows ?? []`. */
export function isInput(node: Node, names: Names): boolean {
  const fields = node as unknown as Fields
  const any = (...nodes: unknown[]) => nodes.some(one => one && isInput(one as Node, names))
  switch (node.type) {
    case 'Identifier':
      return names.has(fields['name'] as string)
    case 'MemberExpression': {
      const last = nameOf(fields['property'])
      if (last === 'args' || (last === 'data' && nameOf(fields['object']) === 'job')) return true
      return any(fields['object'])
    }
    case 'CallExpression': {
      const { type, object } = fields['callee'] as Fields
      if (type !== 'MemberExpression') return false
      return any(object) || (SHAPES.has(nameOf(object) ?? '') && any(...(fields['arguments'] as Node[])))
    }
    case 'NewExpression':
      return SHAPES.has(nameOf(fields['callee']) ?? '') && any(...(fields['arguments'] as Node[]))
    case 'ArrayExpression':
      return any(...(fields['elements'] as Node[]).filter(one => one?.type === 'SpreadElement'))
    case 'SpreadElement':
      return any(fields['argument'])
    case 'ChainExpression':
      return any(fields['expression'])
    case 'BinaryExpression':
    case 'LogicalExpression':
      return any(fields['left'], fields['right'])
    case 'ConditionalExpression':
      return any(fields['consequent'], fields['alternate'])
    default:
      return false
  }
}

function nameOf(node: unknown): string | undefined {
  const { type, name } = node as { type: string; name?: string }
  return type === 'Identifier' ? name : undefined
}

function addNames(pattern: Node, names: Set<string>): void {
  full(pattern, node => {
    if (node.type === 'Identifier') names.add((node as unknown as { name: string }).name)
  })
  // The walker does not visit the names of a pattern as identifiers.
  simple(pattern, { Pattern: node => void (node.type === 'Identifier' && names.add(node.name)) })
}

function removeNames(pattern: Node, names: Set<string>): void {
  const found = new Set<string>()
  addNames(pattern, found)
  for (const name of found) names.delete(name)
}
