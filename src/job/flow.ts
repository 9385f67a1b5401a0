/** A flow: jobs of which some wait for others. Its shape is the same in a handler and on the command line. */
import { z } from 'zod'
import { RunnerError } from '../errors.ts'
import { duration, type Duration } from '../units.ts'
import { listProblems, problemsOf, type Problem } from './problem.ts'
import { Redaction } from './redaction.ts'

/** Redis adds a flow in one piece, and does nothing else meanwhile. */
const MAX_JOBS = 10_000
const MAX_DEPTH = 100
/** Faults that a message lists; the details of the error have all. */
const SHOWN = 20

const ON_FAIL = ['fail-parent', 'ignore', 'remove', 'continue'] as const

/**
 * What becomes of its parent when a child has failed for good:
 *
 * - `fail-parent`: the parent fails at once and is never run; children that are not done yet are run all the same.
 * - `ignore`: the parent does not mind; `ctx.children()` has the reason.
 * - `remove`: the parent does not mind, and is not told.
 * - `continue`: the parent is run at once, beside the children that are not done; `ctx.children()` has the reason.
 *   When it returns before they are done it waits for them, and is run once more.
 */
export type OnFail = (typeof ON_FAIL)[number]

export interface Flow {
  /** Name of the job: of its file. */
  job: string
  /** Payload, checked against the schema of the job. Default {}. */
  args?: unknown
  /** Default: that of the job's file. */
  queue?: string
  /**
   * Custom job id. When the root of the flow has one and a job with it is still kept, nothing is added; when another
   * of its jobs has, the flow is refused. Default: `name~flow~place`, where no two flows are alike.
   */
  id?: string
  /** Default: that of the job's file, or 1. */
  attempts?: number
  /** 0 (highest) .. 2097151. Default: that of the job's file, or 0. */
  priority?: number
  /** Not run before so long; for a parent, after its children are done. */
  delay?: Duration
  /** What its failure does to its parent. Default 'fail-parent'. The root has no parent. */
  onFail?: OnFail
  /** It is run when these are done. Default none. */
  children?: Flow[]
}

/** The ids of the jobs of a flow, in the shape of the flow. */
export interface FlowIds {
  id: string
  children: FlowIds[]
}

/** `added` is false when the id of the root is that of a job that is kept: then nothing was, and `children` is empty. */
export type AddedFlow = FlowIds & { added: boolean }

/** A child of a job, as far as it is. */
export type Child<Result = unknown> = {
  /** Absent when the id was chosen and the job is no longer kept. */
  name?: string
  id: string
  queue: string
} & (
  | { state: 'completed'; result: Result; error?: never }
  /** Its `onFail` is 'ignore' or 'continue'. */
  | { state: 'failed'; error: string; result?: never }
  /** Only where another one failed with `onFail: 'continue'`. */
  | { state: 'pending'; error?: never; result?: never }
)

const node: z.ZodType = z.strictObject({
  job: z.string().min(1),
  args: z.unknown().optional(),
  queue: z
    .string()
    .min(1)
    .regex(/^[^:]+$/, 'a queue name has no ":"')
    .optional(),
  id: z.string().optional(),
  attempts: z.int().min(1).optional(),
  priority: z.int().min(0).max(2_097_151).optional(),
  delay: duration().optional(),
  onFail: z.enum(ON_FAIL).optional(),
  get children() {
    return z.array(node).optional()
  },
})

/** `value` as a flow, delays in milliseconds. Throws FLOW_INVALID, which lists every fault by its path. */
export function readFlow(value: unknown, redact: readonly string[] = []): Flow {
  const fault = sizeFault(value)
  if (fault !== undefined) throw new RunnerError('FLOW_INVALID', `the flow is refused: ${fault}`)
  const parsed = node.safeParse(value)
  if (parsed.success) return parsed.data as Flow
  throw flowRefused(problemsOf(parsed.error.issues, value, new Redaction(redact)))
}

export function flowRefused(problems: readonly Problem[]): RunnerError {
  const more = problems.length > SHOWN ? `\n  and ${problems.length - SHOWN} more` : ''
  const list = listProblems(problems.slice(0, SHOWN)).replaceAll('(payload)', '(flow)')
  return new RunnerError('FLOW_INVALID', `the flow is refused\n${list}${more}`, { details: problems })
}

/** Looked at before the shape, and without recursion: whatever it is given, it does not overflow the stack. */
function sizeFault(root: unknown): string | undefined {
  let jobs = 1
  let level = [root]
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return `its jobs are in more than ${MAX_DEPTH} levels`
    const next: unknown[] = []
    for (const children of level.map(childrenOf)) {
      jobs += children.length
      if (jobs > MAX_JOBS) return `it has more than ${MAX_JOBS} jobs; add it in parts`
      next.push(...children)
    }
    level = next
  }
  return undefined
}

function childrenOf(value: unknown): unknown[] {
  const { children } = (value ?? {}) as { children?: unknown }
  return Array.isArray(children) ? children : []
}
