/**
 * Traces of jobs by OpenTelemetry: from the span of whoever added a job, over the span of its run, to the spans that its
 * handler makes in an executor. The adapter is `bullmq-otel`; here its spans get the names of the conventions for
 * messaging, and those of a worker that only looks for a job are left out, for there are some each second.
 *
 * The SDK is the user's, registered by a file that `NODE_OPTIONS=--import` loads here and in every executor. Payloads and
 * results are in no span: BullMQ is given neither.
 */
import type { Attributes } from '@opentelemetry/api'
import { SpanKind, TelemetryAttributes, type Telemetry } from 'bullmq'
import { RunnerError, messageOf } from '../errors.ts'

const MESSAGING: Partial<Record<SpanKind, Record<string, string>>> = {
  [SpanKind.CONSUMER]: { 'messaging.system': 'bullmq', 'messaging.operation.type': 'process' },
  [SpanKind.PRODUCER]: { 'messaging.system': 'bullmq', 'messaging.operation.type': 'send' },
}

/** What BullMQ says of a span, by the name that the conventions have for it. */
const NAMES: Record<string, string> = {
  [TelemetryAttributes.QueueName]: 'messaging.destination.name',
  [TelemetryAttributes.QueueOperation]: 'messaging.operation.name',
  [TelemetryAttributes.JobId]: 'messaging.message.id',
}

interface Tracing extends AsyncDisposable {
  readonly telemetry: Telemetry
}

/**
 * Throws CONFIG_INVALID without `bullmq-otel`. `warn` is told when no SDK is registered. At its end spans are sent; that
 * they cannot be is told to `warn`, and does not throw.
 */
export async function openTelemetry(warn: (line: string) => void): Promise<Tracing> {
  const [{ BullMQOtel, BullMQOTelSpan }, api] = await importPackages()
  const { SpanStatusCode, context, trace } = api
  const adapter = new BullMQOtel({ tracerName: 'bullmq-runner' })
  const tracer = trace.getTracer('bullmq-runner')
  const silent = trace.wrapSpanContext(api.INVALID_SPAN_CONTEXT)

  class JobSpan extends BullMQOTelSpan {
    override setAttributes(attributes: Parameters<InstanceType<typeof BullMQOTelSpan>['setAttributes']>[0]) {
      const named = Object.entries(attributes).flatMap(([key, value]) => {
        const name = NAMES[key]
        return name === undefined ? [] : [[name, value] as const]
      })
      super.setAttributes({ ...attributes, ...Object.fromEntries(named) })
    }

    override addEvent(name: string, attributes?: Attributes): void {
      super.addEvent(name, attributes && withFirstLine(attributes))
      if (name === 'job failed') this.span.setStatus({ code: SpanStatusCode.ERROR })
    }
  }

  const { contextManager } = adapter
  const read = contextManager.fromMetadata.bind(contextManager)
  // Of whoever added the job: what cannot be read must not end the replica that takes it.
  contextManager.fromMetadata = (active, metadata) => {
    try {
      return read(active, metadata)
    } catch {
      return active
    }
  }

  const telemetry = {
    contextManager,
    tracer: {
      startSpan(
        name: string,
        { kind = SpanKind.INTERNAL }: { kind?: SpanKind } = {},
        parent = context.active(),
      ) {
        const isIdle = kind === SpanKind.INTERNAL && !isTraced(parent)
        const attributes = MESSAGING[kind]
        return new JobSpan(
          isIdle
            ? silent
            : tracer.startSpan(name, { kind: kind as number, ...(attributes && { attributes }) }, parent),
        )
      },
    },
  }
  const isTraced = (of: ReturnType<typeof context.active>) => {
    const span = trace.getSpanContext(of)
    return span !== undefined && trace.isSpanContextValid(span)
  }
  // Not whether it records: a sampler may have dropped this one.
  if (!trace.isSpanContextValid(tracer.startSpan('probe').spanContext()))
    warn(
      'telemetry: no SDK of OpenTelemetry is registered, so nothing is traced: NODE_OPTIONS="--import ./otel.mjs"',
    )
  return {
    telemetry: telemetry as unknown as Telemetry,
    async [Symbol.asyncDispose]() {
      const provider = trace.getTracerProvider() as {
        getDelegate?: () => { forceFlush?: () => Promise<void> }
      }
      try {
        await provider.getDelegate?.().forceFlush?.()
      } catch (error) {
        // Of several exporters, several.
        const reasons = [error].flat().map(messageOf).join('; ')
        warn(`telemetry: the last spans may not have been sent: ${reasons}`)
      }
    },
  }
}

/** Both are the user's to install. */
async function importPackages() {
  try {
    return await Promise.all([import('bullmq-otel'), import('@opentelemetry/api')])
  } catch (error) {
    throw new RunnerError(
      'CONFIG_INVALID',
      'telemetry needs the packages bullmq-otel and @opentelemetry/api',
      {
        hint: 'npm install bullmq-otel @opentelemetry/api, or leave out --telemetry',
        cause: error,
      },
    )
  }
}

/** Below the first line of why a job failed stands what is wrong with its payload, if that was it. */
function withFirstLine(attributes: Attributes): Attributes {
  const reason = attributes[TelemetryAttributes.JobFailedReason]
  if (typeof reason !== 'string') return attributes
  return { ...attributes, [TelemetryAttributes.JobFailedReason]: reason.split('\n', 1)[0] }
}
