/** Stacks of what holds an event loop. What replicas publish has none: they are asked, once for each block. */
import type { Operator } from '../../fleet/operator.ts'
import type { BlockedRun, Replica } from '../../redis/replicas.ts'

/** Milliseconds that a replica has to answer. */
const ANSWER_WITHIN = 1_000
/** Milliseconds after which it is asked again for a stack that nobody could take: inside native code there is none. */
const AGAIN = 10_000

export interface BlockedJob extends BlockedRun {
  replica: string
}

export class Blocks {
  readonly #operator: Operator
  /** By block, and when it was asked for, by performance.now(). */
  #known = new Map<string, { stack: string | undefined; at: number }>()

  constructor(operator: Operator) {
    this.#operator = operator
  }

  async list(replicas: readonly Replica[]): Promise<BlockedJob[]> {
    const all = replicas.flatMap(({ id, blocked }) => blocked.map(block => ({ ...block, replica: id })))
    const missing = new Set(all.filter(block => this.#isWanted(block)).map(({ replica }) => replica))
    if (missing.size > 0) await this.#ask(replicas.filter(({ id }) => missing.has(id)))
    const now = performance.now()
    // Those that are over are forgotten.
    this.#known = new Map(
      all.map(block => [keyOf(block), this.#known.get(keyOf(block)) ?? { stack: undefined, at: now }]),
    )
    return all.map(block => {
      const stack = this.#known.get(keyOf(block))?.stack
      return stack === undefined ? block : { ...block, stack }
    })
  }

  #isWanted(block: BlockedJob): boolean {
    const known = this.#known.get(keyOf(block))
    return known === undefined || (known.stack === undefined && performance.now() - known.at > AGAIN)
  }

  async #ask(replicas: readonly Replica[]): Promise<void> {
    const replies = await this.#operator.tell(replicas, 'dump', null, ANSWER_WITHIN)
    const at = performance.now()
    for (const { replica, value } of replies)
      for (const block of value?.blocked ?? [])
        this.#known.set(keyOf({ ...block, replica: replica.id }), { stack: block.stack, at })
  }
}

const keyOf = ({ replica, executor, queue = '', id = '' }: BlockedJob): string =>
  JSON.stringify([replica, executor, queue, id])
