/** How a handler of an application is called. */
import type { INestApplicationContext, Type } from '@nestjs/common'
import type { JobContext } from '../context.ts'
import type { NestCore } from './core.ts'
import type { HostedHandler } from './graph.ts'

type Method = (ctx: JobContext) => unknown

/**
 * On the one instance of its class. Where that, or something it needs, is of a request, an instance of its own for each
 * run, in which `REQUEST` is the `ctx`.
 */
export function runOf(
  { wrapper, owner, method }: HostedHandler,
  { core, app }: { core: NestCore; app: INestApplicationContext },
): Method {
  if (wrapper.isDependencyTreeStatic()) {
    const instance = wrapper.instance as Record<string, Method>
    return ctx => (instance[method] as Method).call(instance, ctx)
  }
  return async ctx => {
    const id = core.ContextIdFactory.create()
    app.registerRequestByContextId(ctx, id)
    const instance: Record<string, Method> = await app.resolve(owner as Type, id, { strict: false })
    return (instance[method] as Method).call(instance, ctx)
  }
}
