/**
 * Loops that never let the event loop turn: without `await`, and either without an end of their own (`while (true)`)
 * or over what came with the job. A loop over anything else is let be: most are short.
 */
import type { Node } from 'acorn'
import { ancestor, base, simple } from 'acorn-walk'
import { isFunction } from './calls.ts'
import { findingAt, type Finding } from './finding.ts'
import { isInput, namesAt, namesOfInput } from './input.ts'
import type { Source } from './source.ts'

/** Methods of arrays that call their argument for each element before they return. */
const EACH = new Set([
  'forEach',
  'map',
  'filter',
  'reduce',
  'flatMap',
  'some',
  'every',
  'find',
  'toSorted',
  'sort',
])

const ENDLESS =
  'this loop has no end of its own and never lets the event loop turn: await ctx.breathe() in it'
const OVER_INPUT =
  'as long as its input is, this loop holds the event loop: await ctx.breathe() in it, or walk it by ctx.chunks()'

type Nodes = Record<string, unknown>

export function blockingLoops({ file, tree }: Source): Finding[] {
  const input = namesOfInput(tree)
  const findings: Finding[] = []
  const report = (node: Node, message: string) => findings.push(findingAt(file, node, 'loop', message))
  const look = (node: Node, over: unknown, ancestors: Node[]) => {
    if (!ancestors.some(isFunction) || canYield(node)) return
    if (over === undefined) report(node, ENDLESS)
    else if (isInput(over as Node, namesAt(ancestors, input))) report(node, OVER_INPUT)
  }
  ancestor(tree, {
    WhileStatement: (node, _, all) => look(node, isTrue(node.test) ? undefined : node.test, all),
    DoWhileStatement: (node, _, all) => look(node, isTrue(node.test) ? undefined : node.test, all),
    ForStatement: (node, _, all) => look(node, node.test ?? undefined, all),
    ForOfStatement: (node, _, all) => look(node, node.right, all),
    ForInStatement: (node, _, all) => look(node, node.right, all),
    CallExpression(node, _, all) {
      const { callee, arguments: given } = node
      if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return
      if (!EACH.has(callee.property.name) || isAsync(given[0])) return
      if (all.some(isFunction) && isInput(callee.object, namesAt(all, input))) report(node, OVER_INPUT)
    },
  })
  return findings
}

/** Whether it awaits or yields, not counting functions that are made in it. */
function canYield(node: Node): boolean {
  if ((node as unknown as Nodes)['await'] === true) return true
  let found = false
  const walk = { ...base, Function: () => undefined }
  const yes = () => void (found = true)
  simple(
    node,
    { AwaitExpression: yes, YieldExpression: yes, ForOfStatement: of => void (found ||= of.await) },
    walk,
  )
  return found
}

function isTrue(test: Node): boolean {
  const { type, value } = test as unknown as Nodes
  return type === 'Literal' && Boolean(value)
}

function isAsync(node: Node | undefined): boolean {
  return node !== undefined && (node as unknown as Nodes)['async'] === true
}
