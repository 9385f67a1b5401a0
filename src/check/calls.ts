/**
 * Calls that hold the event loop until they return: functions and classes whose name ends in `Sync`, `Atomics.wait`, and
 * `JSON.parse` of anything but a literal. At the top level of a file they run once per executor, before it takes jobs,
 * and are let be.
 */
import type { MemberExpression, Node, TemplateLiteral } from 'acorn'
import { ancestor, simple } from 'acorn-walk'
import { findingAt, type Finding } from './finding.ts'
import type { Source } from './source.ts'

export function blockingCalls({ file, tree }: Source): Finding[] {
  const renamed = originalNames(tree)
  const findings: Finding[] = []
  ancestor(tree, {
    NewExpression(node, _state, ancestors) {
      const name = nameOf(node.callee, renamed)
      if (name === undefined || !/\wSync$/.test(name) || !ancestors.some(isFunction)) return
      findings.push(
        findingAt(file, node, 'sync-call', `each call of a ${name} holds the event loop until it returns`),
      )
    },
    CallExpression(node, _state, ancestors) {
      if (!ancestors.some(isFunction)) return
      const name = nameOf(node.callee, renamed)
      if (name === undefined) return
      if (/\wSync$/.test(name)) {
        const message = `${name}() holds the event loop until it returns; use the asynchronous one`
        findings.push(findingAt(file, node, 'sync-call', message))
      } else if (name === 'Atomics.wait') {
        const message = 'Atomics.wait() holds the event loop; use Atomics.waitAsync()'
        findings.push(findingAt(file, node, 'sync-call', message))
      } else if (name === 'JSON.parse' && !isLiteral(node.arguments[0])) {
        const message =
          'JSON.parse() holds the event loop for about a second for each 200 MB; bound its input, or stream it'
        findings.push(findingAt(file, node, 'json', message))
      }
    },
  })
  return findings
}

export function isFunction({ type }: Node): boolean {
  return ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'].includes(type)
}

/**
 * `readFileSync`, also of `fs.readFileSync`, `fs['readFileSync']`, `readFileSync.call` and of what was renamed when it was
 * imported or destructured; `JSON.parse` as it stands.
 */
function nameOf(callee: Node, renamed: ReadonlyMap<string, string>): string | undefined {
  const { type, name, object, property, computed } = callee as Partial<MemberExpression> & { name?: string }
  if ((type as string) === 'Identifier') return renamed.get(name as string) ?? name
  if (type !== 'MemberExpression') return undefined
  const last = computed ? (property as { value?: unknown }).value : (property as { name?: string }).name
  if (typeof last !== 'string') return undefined
  if (last === 'call' || last === 'apply') return nameOf(object as Node, renamed)
  const of = (object as { name?: string }).name ?? ''
  return ['JSON', 'Atomics'].includes(of) ? `${of}.${last}` : last
}

/** Local name -> the name that it had: `import { readFileSync as read }`, `const { readFileSync: read } = ...`. */
function originalNames(tree: Source['tree']): Map<string, string> {
  const names = new Map<string, string>()
  for (const statement of tree.body) {
    if (statement.type !== 'ImportDeclaration') continue
    for (const one of statement.specifiers) {
      if (one.type === 'ImportSpecifier' && one.imported.type === 'Identifier')
        names.set(one.local.name, one.imported.name)
    }
  }
  simple(tree, {
    ObjectPattern({ properties }) {
      for (const one of properties) {
        if (one.type !== 'Property' || one.value.type !== 'Identifier') continue
        if (one.key.type === 'Identifier') names.set(one.value.name, one.key.name)
      }
    },
  })
  return names
}

function isLiteral(node: Node | undefined): boolean {
  if (node === undefined || node.type === 'Literal') return true
  return node.type === 'TemplateLiteral' && (node as TemplateLiteral).expressions.length === 0
}
