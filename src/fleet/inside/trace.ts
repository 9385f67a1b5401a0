/**
 * The trace that a run belongs to is the active one while its handler runs, so that spans of the handler have the span of
 * its job as their parent. Which SDK of OpenTelemetry there is, if any, is up to the user: what NODE_OPTIONS loads is
 * loaded in every executor.
 */
import type { context, propagation, ROOT_CONTEXT } from '@opentelemetry/api'

interface Api {
  context: typeof context
  propagation: typeof propagation
  ROOT_CONTEXT: typeof ROOT_CONTEXT
}

export class Traces {
  readonly #api: Api

  private constructor(api: Api) {
    this.#api = api
  }

  static async open(): Promise<Traces> {
    return new Traces(await import('@opentelemetry/api'))
  }

  /** `trace`: headers in JSON. */
  within<Result>(trace: string | undefined, action: () => Result): Result {
    if (trace === undefined) return action()
    const { context, propagation, ROOT_CONTEXT } = this.#api
    return context.with(propagation.extract(ROOT_CONTEXT, JSON.parse(trace) as object), action)
  }

  /** Of the code that calls, as headers in JSON. */
  get current(): string {
    const { context, propagation } = this.#api
    const headers = {}
    propagation.inject(context.active(), headers)
    return JSON.stringify(headers)
  }
}
