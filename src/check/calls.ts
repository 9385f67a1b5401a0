/**
 * Calls that hold the event loop until they return: functions and classes whose name ends in `Sync`, `Atomics.wait`, and
 * `JSON.parse` of anything but a literal. At the top level of a file they run once per executor, before it takes jobs,
 * and are let be.
 */
import type { CallExpression, NewExpression, Node, TemplateLiteral } from 'acorn'
import { ancestor } from 'acorn-walk'
import { findingAt, type Finding } from './finding.ts'
import type { Source } from './source.ts'

export function blockingCalls({ file, tree }: Source): Finding[] {
  const renamed = renamedImports(tree)
  const findings: Finding[] = []
  ancestor(tree, {
    NewExpression(node, _state, ancestors) {
      const name = nameOf(node, renamed)
      if (name === undefined || !/\wSync$/.test(name) || !ancestors.some(isFunction)) return
      findings.push(
        findingAt(file, node, 'sync-call', `each call of a ${name} holds the event loop until it returns`),
      )
    },
    CallExpression(node, _state, ancestors) {
      if (!ancestors.some(isFunction)) return
      const name = nameOf(node, renamed)
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

/** `readFileSync`, also of `fs.readFileSync` and of `import { readFileSync as read }`; `JSON.parse` as it stands. */
function nameOf(
  { callee }: CallExpression | NewExpression,
  renamed: ReadonlyMap<string, string>,
): string | undefined {
  if (callee.type === 'Identifier') return renamed.get(callee.name) ?? callee.name
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier' || callee.computed)
    return undefined
  const { object, property } = callee
  const isGlobal = object.type === 'Identifier' && ['JSON', 'Atomics'].includes(object.name)
  return isGlobal ? `${object.name}.${property.name}` : property.name
}

function renamedImports(tree: Source['tree']): Map<string, string> {
  const names = new Map<string, string>()
  for (const statement of tree.body) {
    if (statement.type !== 'ImportDeclaration') continue
    for (const one of statement.specifiers) {
      if (one.type === 'ImportSpecifier' && one.imported.type === 'Identifier')
        names.set(one.local.name, one.imported.name)
    }
  }
  return names
}

function isLiteral(node: Node | undefined): boolean {
  if (node === undefined || node.type === 'Literal') return true
  return node.type === 'TemplateLiteral' && (node as TemplateLiteral).expressions.length === 0
}
