import { expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { handlersOf } from '../../src/job/handler.ts'
import { JobHandler, contract, type JobContext, type RunnerProducer } from '../../src/nestjs/index.ts'

const args = z.object({ to: z.email(), copies: z.int().default(1) })
const mail = contract({ queue: 'mail', name: 'send-email', args })

/** As a compiler calls it. */
const decorate = (owner: { prototype: object }, method: string, decorator: (...given: never[]) => void) =>
  (decorator as (...given: unknown[]) => void)(
    owner.prototype,
    method,
    Object.getOwnPropertyDescriptor(owner.prototype, method),
  )

const handled = (owner: abstract new () => unknown) =>
  handlersOf(owner).map(({ method, contract: { queue, name } }) => [method, queue, name])

const refusal = (act: () => void): unknown => {
  try {
    act()
    return undefined
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint?: string }
    return { code, message, hint }
  }
}

it('marks methods, one of them for two names, and a class by its run', () => {
  class Handlers {
    send() {}
    drop() {}
  }
  decorate(Handlers, 'send', JobHandler(mail))
  decorate(Handlers, 'send', JobHandler('mail', 'send-again', { attempts: 2 }))
  decorate(Handlers, 'drop', JobHandler('trash', 'drop'))
  class Whole {
    run() {}
  }
  JobHandler('mail', 'whole')(Whole)
  expect(handled(Handlers)).toEqual([
    ['send', 'mail', 'send-email'],
    ['send', 'mail', 'send-again'],
    ['drop', 'trash', 'drop'],
  ])
  expect(handled(Whole)).toEqual([['run', 'mail', 'whole']])
})

it('is inherited, and what a class says of a method itself counts more', () => {
  class Base {
    send() {}
    drop() {}
  }
  decorate(Base, 'send', JobHandler('mail', 'send'))
  decorate(Base, 'drop', JobHandler('mail', 'drop'))
  class Own extends Base {
    override send() {}
  }
  decorate(Own, 'send', JobHandler('post', 'send'))
  expect(handled(Own)).toEqual([
    ['send', 'post', 'send'],
    ['drop', 'mail', 'drop'],
  ])
  expect(handled(Base)).toEqual([
    ['send', 'mail', 'send'],
    ['drop', 'mail', 'drop'],
  ])
})

it('says where it stands wrong', () => {
  class Empty {
    send() {}
  }
  expect(refusal(() => JobHandler('mail', 'send')(Empty as never))).toEqual({
    code: 'JOB_OPTION_INVALID',
    message: '@JobHandler of send: class Empty has no method run',
    hint: 'decorate the method that handles it',
  })
  const standard = JobHandler('mail', 'send') as (value: unknown, context: object) => void
  expect(refusal(() => standard(() => undefined, { kind: 'method', name: 'send' }))).toMatchObject({
    code: 'JOB_OPTION_INVALID',
    hint: 'tsconfig.json: "experimentalDecorators": true',
  })
  expect(refusal(() => JobHandler('mail', 'send', { attempts: 0 }))).toMatchObject({
    code: 'JOB_OPTION_INVALID',
  })
})

it('holds handlers and producers to the types of the schema', () => {
  type Decorator = ReturnType<typeof JobHandler<typeof args>>
  type Takes<Args> = { run(ctx: JobContext<Args>): unknown }
  const decorator = JobHandler(mail)
  expectTypeOf(decorator).toEqualTypeOf<Decorator>()
  expectTypeOf(decorator).toBeCallableWith(
    class implements Takes<{ to: string; copies: number }> {
      run() {}
    },
  )
  // The output of the schema: a default is filled in.
  class Right {
    run({ args }: JobContext<{ to: string; copies: number }>) {
      return args.copies
    }
  }
  class Wrong {
    run({ args }: JobContext<{ to: number }>) {
      return args.to
    }
  }
  decorator(Right)
  // @ts-expect-error -- `to` is a string
  decorator(Wrong)
  const produce = (producer: RunnerProducer) => {
    // Its input: what has a default may be left out.
    void producer.enqueue(mail, { to: 'ada@example.com' })
    // @ts-expect-error -- `to` is missing
    void producer.enqueue(mail, {})
    // @ts-expect-error -- no such option
    void producer.enqueue(mail, { to: 'ada@example.com' }, { attemps: 3 })
    return producer.enqueue('anything', { goes: true })
  }
  expectTypeOf(produce).returns.resolves.toEqualTypeOf<{ id: string; queue: string; added: boolean }>()
})
