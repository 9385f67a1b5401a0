/** How a handler of an application is called. */
import type { INestApplicationContext, Type } from '@nestjs/common'
import type { ModuleRef } from '@nestjs/core'
import type { JobContext } from '../context.ts'
import type { NestCore } from './core.ts'
import type { HostedHandler } from './graph.ts'

type Method = (ctx: JobContext) => unknown

/**
 * On the one instance of its class. Where that, or something it needs, is of a request, and where its class is transient,
 * an instance of its own for each run, in which `REQUEST` is the `ctx`.
 */
export function runOf(
  { wrapper, method }: HostedHandler,
  { core, app }: { core: NestCore; app: INestApplicationContext },
): Method {
  if (wrapper.isDependencyTreeStatic() && !wrapper.isTransient) {
    const instance = wrapper.instance as Record<string, Method>
    return ctx => (instance[method] as Method).call(instance, ctx)
  }
  // By the module of this very provider: its token may not be its class, and another module may have the same.
  const module = wrapper.host?.providers.get(core.ModuleRef)?.instance as ModuleRef
  return async ctx => {
    const id = core.ContextIdFactory.create()
    app.registerRequestByContextId(ctx, id)
    const instance = await module.resolve<Record<string, Method>>(wrapper.token as Type, id, { strict: true })
    return (instance[method] as Method).call(instance, ctx)
  }
}
