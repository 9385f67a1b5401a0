/** `@JobHandler`: a method, or the `run` of a class, handles jobs of one name. */
import type { z } from 'zod'
import { RunnerError } from '../errors.ts'
import type { JobContext } from '../job/context.ts'
import { contract, isContract, type Contract, type ContractOptions } from '../job/contract.ts'
import { markHandler, type Class } from '../job/handler.ts'

/** As in `job()`. */
export type HandlerOptions<Schema extends z.ZodType = z.ZodType> = Omit<
  ContractOptions<Schema>,
  'queue' | 'name'
>

/** Of a provider, or of one of its methods. */
export interface JobHandlerDecorator<Args> {
  (owner: abstract new (...args: never[]) => { run(ctx: JobContext<Args>): unknown }): void
  <Method extends (ctx: JobContext<Args>) => unknown>(
    owner: object,
    method: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void
}

/**
 * By a contract that a producer shares, or by queue, name and options. The handler is given `ctx`, as that of a file in
 * `jobs/`, with what its class has injected. An executor runs it: `runner work --nest ./dist/app.module.js`; in any other
 * process the decorator does nothing.
 *
 * Throws JOB_OPTION_INVALID where it stands.
 *
 * @example
 * \@JobHandler('mail', 'send-email', { args: z.object({ to: z.email() }), attempts: 5 })
 * async send({ args, signal }: JobContext<{ to: string }>) { ... }
 */
export function JobHandler<Schema extends z.ZodType>(
  contract: Contract<Schema>,
): JobHandlerDecorator<z.output<Schema>>
export function JobHandler<Schema extends z.ZodType = z.ZodUnknown>(
  queue: string,
  name: string,
  options?: HandlerOptions<Schema>,
): JobHandlerDecorator<z.output<Schema>>
export function JobHandler(
  given: Contract | string,
  name = '',
  options: HandlerOptions = {},
): JobHandlerDecorator<never> {
  const handled = isContract(given) ? given : contract({ ...options, queue: given, name })
  return (owner: object, place?: string | symbol | object) => {
    if (typeof place === 'object')
      throw invalid(handled, 'it is called as a decorator of TC39, which NestJS knows not', STANDARD)
    if (place === undefined) {
      const whole = owner as Class & { name: string; prototype: { run?: unknown } }
      if (typeof whole.prototype.run !== 'function')
        throw invalid(handled, `class ${whole.name} has no method run`, 'decorate the method that handles it')
      markHandler(whole, { method: 'run', contract: handled })
      return
    }
    if (typeof owner === 'function' || typeof place !== 'string')
      throw invalid(handled, `${String(place)} is no method of instances`, 'decorate one with a plain name')
    markHandler(owner.constructor as Class, { method: place, contract: handled })
  }
}

const STANDARD = 'tsconfig.json: "experimentalDecorators": true'

function invalid({ name }: Contract, why: string, hint: string): RunnerError {
  return new RunnerError('JOB_OPTION_INVALID', `@JobHandler of ${name}: ${why}`, { hint })
}
