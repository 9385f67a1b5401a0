/** The inside of an executor without one: a `ctx` whose supervisor keeps checkpoints and steps in a Map. */
import { Context } from '../../src/fleet/inside/context.ts'
import { Run } from '../../src/fleet/inside/run.ts'
import { Voice, type Checks } from '../../src/fleet/inside/voice.ts'
import { FROM, readRecord } from '../../src/fleet/protocol.ts'

export interface Inside {
  ctx: Context
  run: Run
  /** What is kept of the job: 'checkpoint', 'step:NAME' -> JSON. Give it to the next run. */
  kept: Map<string, string>
  /** Every write, in order. */
  writes: [field: string, json: string][]
  /** Values of `progress`, as they were sent. */
  progress: unknown[]
}

const NO_CHECKS: Checks = {
  payload: async () => '{}',
  flow: async ({ job }) => ({ name: job, payload: '{}', options: {}, children: [] }),
}

interface Options {
  kept?: Map<string, string>
  /** Every write is refused so. */
  refusal?: { name: string; message: string }
}

export function inside({ kept = new Map(), refusal }: Options = {}): Inside {
  const run = new Run([1, 'act', '7', 'default', 1, 1], {})
  const writes: Inside['writes'] = []
  const progress: unknown[] = []
  const answer = (method: string, args: string[]): string => {
    const [kind, verb] = method.split('.')
    const field = kind === 'step' ? `step:${args.shift()}` : 'checkpoint'
    const value = kept.get(field)
    if (verb === 'get') return value === undefined ? 'null' : kind === 'step' ? `{"value":${value}}` : value
    writes.push([field, args[0] as string])
    kept.set(field, args[0] as string)
    return 'null'
  }
  const onSay = (text: string) => {
    const { kind, head, body = '' } = readRecord(text)
    if (kind === FROM.progress) progress.push(JSON.parse(body))
    if (kind !== FROM.call) return
    const [call, , method] = JSON.parse(head) as [number, number, string]
    // Not in the turn in which it was asked, as from another thread.
    setImmediate(() => {
      if (refusal !== undefined && method.endsWith('.set')) voice.answer(call, refusal, undefined)
      else voice.answer(call, null, answer(method, JSON.parse(body) as string[]))
    })
  }
  const voice = new Voice(onSay, { level: 'silent', redact: [] }, NO_CHECKS)
  return { ctx: new Context(run, {}, voice), run, kept, writes, progress }
}

/** Keeps the event loop for so long. */
export function spin(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}
