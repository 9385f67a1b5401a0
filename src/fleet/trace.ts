/** What a handler asks of the supervisor belongs to the trace of the handler. */
import type { Telemetry } from 'bullmq'

/** `trace`: headers in JSON. */
export function within<Result>(
  telemetry: Telemetry | undefined,
  trace: string | undefined,
  action: () => Result,
): Result {
  if (telemetry === undefined || trace === undefined) return action()
  const { contextManager } = telemetry
  return contextManager.with(contextManager.fromMetadata(contextManager.active(), trace), action)
}
