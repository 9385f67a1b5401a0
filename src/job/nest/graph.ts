/** What is in the modules of an application: handlers, and workers of BullMQ that it would start itself. */
import type { ModulesContainer } from '@nestjs/core'
import { handlersOf, type Class, type Handler } from '../handler.ts'

type Module = ModulesContainer extends Map<string, infer Value> ? Value : never
type Wrapper = Module['providers'] extends Map<unknown, infer Value> ? Value : never

export interface HostedHandler extends Handler {
  wrapper: Wrapper
  /** 'MailHandler.send in MailModule', for messages. */
  where: string
}

/** A class with `@Processor`, of @nestjs/bullmq. */
export interface Processor {
  name: string
  queue: string
}

/** By which @nestjs/bullmq knows its processors. */
const PROCESSOR = 'bullmq:processor_metadata'

export function handlersIn(modules: ModulesContainer): HostedHandler[] {
  return [...classesIn(modules)].flatMap(({ owner, wrapper, module }) =>
    handlersOf(owner).map(handler => ({
      ...handler,
      wrapper,
      where: `${owner.name}.${handler.method} in ${module}`,
    })),
  )
}

export function processorsIn(modules: ModulesContainer): Processor[] {
  return [...classesIn(modules)].flatMap(({ owner }) => {
    const found = (Reflect as unknown as { getMetadata(key: string, of: object): unknown }).getMetadata(
      PROCESSOR,
      owner,
    ) as { name?: string } | undefined
    return found?.name === undefined ? [] : [{ name: owner.name, queue: found.name }]
  })
}

function* classesIn(
  modules: ModulesContainer,
): Generator<{ owner: Class; wrapper: Wrapper; module: string }> {
  for (const { name: module, providers, controllers } of modules.values()) {
    for (const wrapper of [...providers.values(), ...controllers.values()] as Wrapper[]) {
      // The same instance under a second token.
      if (wrapper.isAlias) continue
      const owner = classOf(wrapper)
      if (owner !== undefined) yield { owner, wrapper, module }
    }
  }
}

/** Of `useFactory` the metatype is the factory, and of `useValue` there is none. */
function classOf({ metatype, inject, instance }: Wrapper): Class | undefined {
  const found: unknown = metatype && !inject ? metatype : (instance as object | undefined)?.constructor
  return typeof found === 'function' ? (found as Class) : undefined
}
