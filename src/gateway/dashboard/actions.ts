/** What the buttons of the page do: the same as the verbs of the command line. Each says in a line what came of it. */
import { z } from 'zod'
import { RunnerError } from '../../errors.ts'
import { Cancellations, type Cancellation } from '../../fleet/cancellation.ts'
import { CANCEL, PAUSE, RESUME, moveRun, type Move } from '../../steering/moves.ts'
import { ring } from '../../steering/ring.ts'
import { formatMilliseconds } from '../../units.ts'
import type { Panel } from './panel.ts'
import { within } from './patience.ts'

/** Milliseconds, also for a replica with a long --abort-grace. */
const PATIENCE = 60_000
const LATE = 'what was asked for may still be done, as soon as Redis answers: look before you ask again'
const name = z.string().min(1).max(500)

const action = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('pause-queue'), queue: name }),
  z.strictObject({ do: z.literal('resume-queue'), queue: name }),
  z.strictObject({ do: z.literal('cancel-job'), queue: name, id: name }),
  z.strictObject({ do: z.literal('pause-run'), run: name }),
  z.strictObject({ do: z.literal('resume-run'), run: name }),
  z.strictObject({ do: z.literal('cancel-run'), run: name }),
])
export type Action = z.infer<typeof action>

/** As a button carries it. Throws USAGE for what is none. */
export function readAction(text: unknown): Action {
  try {
    return action.parse(JSON.parse(String(text)))
  } catch (error) {
    throw new RunnerError('USAGE', 'this page asks for what this version does not know', {
      hint: 'load the page again',
      cause: error,
    })
  }
}

/** `by`: who is written down with it. Throws coded errors: what it was for may be gone, or away. */
export async function perform(what: Action, panel: Panel, by: string): Promise<string> {
  // What is asked of a Redis that is away would be done later, when nobody expects it.
  await panel.ping()
  return within(PATIENCE, does(what, panel, by), LATE)
}

async function does(what: Action, panel: Panel, by: string): Promise<string> {
  switch (what.do) {
    case 'pause-queue':
    case 'resume-queue':
      return gate(what.queue, what.do === 'pause-queue', panel)
    case 'cancel-job':
      return cancelJob(what, panel, by)
    case 'pause-run':
      return move(PAUSE, what.run, panel, by)
    case 'resume-run':
      return move(RESUME, what.run, panel, by)
    default:
      return move(CANCEL, what.run, panel, by)
  }
}

async function gate(queue: string, pause: boolean, { reached: { inspector } }: Panel): Promise<string> {
  await inspector.given([queue])
  const bull = inspector.queue(queue)
  await (pause ? bull.pause() : bull.resume())
  return pause ? `queue ${queue} is paused: jobs that run go on` : `queue ${queue} is open`
}

async function cancelJob(
  { queue, id }: { queue: string; id: string },
  { reached: { inspector, operator } }: Panel,
  by: string,
): Promise<string> {
  await inspector.given([queue])
  const cancellations = new Cancellations(operator, inspector.client, `by ${by}`)
  return `job ${id} of queue ${queue} ${became(await cancellations.cancel(inspector.queue(queue), id))}`
}

/** 'was stopped on web-7f9c within 12ms' */
function became(cancellation: Cancellation): string {
  if (cancellation.how === 'gone') return 'was over already'
  if (cancellation.how === 'marked') return 'does not run: the next worker that takes it fails it'
  const { how, replica, ms } = cancellation
  if (how === 'completed') return `completed on ${replica} before it could be stopped`
  if (how === 'not-started') return `was not started yet on ${replica}`
  return `was ${how} on ${replica} within ${formatMilliseconds(ms)}`
}

async function move(how: Move, id: string, panel: Panel, by: string): Promise<string> {
  const found = await panel.runs.find(id)
  await moveRun(how, found, {
    by,
    ring: (run, part) => ring(panel.reached.inspector.queue(run.queue), run, part),
  })
  return how.done(found.run)
}
