/**
 * Which methods of a class handle jobs: what `@JobHandler` leaves at the class, and an executor looks for. At the class
 * and not at the method: a decorator that wraps the method does not lose it.
 */
import type { Contract } from './contract.ts'

/** Shared by every copy of this package. */
const HANDLERS = Symbol.for('bullmq-runner.handlers')

export type Class = abstract new (...args: never[]) => unknown

export interface Handler {
  /** Of the method. */
  method: string
  contract: Contract
}

type Marked = Class & { [HANDLERS]?: readonly Handler[] }

export function markHandler(owner: Class, handler: Handler): void {
  const marked = owner as Marked
  const own = Object.hasOwn(owner, HANDLERS) ? (marked[HANDLERS] ?? []) : []
  Object.defineProperty(owner, HANDLERS, { value: [...own, handler], configurable: true })
}

/** Those of the class and of what it extends; what a class says of a method counts more than what it inherits. */
export function handlersOf(owner: Class): Handler[] {
  const found: Handler[] = []
  for (let at: unknown = owner; typeof at === 'function'; at = Object.getPrototypeOf(at)) {
    const own = Object.hasOwn(at, HANDLERS) ? ((at as Marked)[HANDLERS] ?? []) : []
    const taken = new Set(found.map(({ method }) => method))
    found.push(...own.filter(({ method }) => !taken.has(method)))
  }
  return found
}
