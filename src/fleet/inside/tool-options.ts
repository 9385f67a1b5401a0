/** Checks what a handler gives to the members of `ctx`: nothing wrong is replaced by a default. */
import { RunnerError, messageOf } from '../../errors.ts'
import { shorten } from '../../job/problem.ts'
import { didYouMean } from '../../suggestion.ts'
import { milliseconds, type Duration } from '../../units.ts'

/** Characters of a name: it is part of a key in Redis. */
const LONGEST_NAME = 200

/** Of one call, such as `chunks` of job `act`. */
export class ToolOptions {
  readonly #job: string
  readonly #tool: string

  constructor(job: string, tool: string) {
    this.#job = job
    this.#tool = tool
  }

  known(options: object, names: readonly string[]): void {
    for (const name of Object.keys(options)) {
      if (names.includes(name)) continue
      const what = `${this.#job}: ${this.#tool} has no option ${JSON.stringify(name)}`
      throw new RunnerError('CTX_OPTION_INVALID', what, didYouMean(name, names))
    }
  }

  count(option: string, value: unknown): number {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
    throw this.#refusal(option, `expected a whole number from 1, got ${show(value)}`)
  }

  duration(option: string, value: Duration): number {
    try {
      return milliseconds(value)
    } catch (error) {
      throw this.#refusal(option, messageOf(error))
    }
  }

  name(option: string, value: unknown): string {
    if (typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME) return value
    throw this.#refusal(option, `expected a name of 1 to ${LONGEST_NAME} characters, got ${show(value)}`)
  }

  function(option: string, value: unknown): void {
    if (typeof value !== 'function') throw this.#refusal(option, `expected a function, got ${show(value)}`)
  }

  /** Something that can be walked by one of these. */
  walkable(option: string, value: unknown, by: readonly symbol[]): void {
    const methods = Object(value) as Record<symbol, unknown>
    if (by.some(symbol => typeof methods[symbol] === 'function')) return
    const form = by.includes(Symbol.asyncIterator) ? 'an array, iterable or async iterable' : 'an iterable'
    throw this.#refusal(option, `expected ${form}, got ${show(value)}`)
  }

  #refusal(option: string, rule: string): RunnerError {
    return new RunnerError('CTX_OPTION_INVALID', `${this.#job}: ${option} of ${this.#tool}: ${rule}`)
  }
}

const show = (value: unknown): string => (typeof value === 'number' ? String(value) : shorten(value))
