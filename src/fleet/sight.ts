/**
 * Where a thread is and which job it runs there, found out while its event loop is blocked: it is paused for some
 * milliseconds by the protocol of the debugger, and goes on.
 *
 * JavaScript can be paused anywhere (a loop, a regular expression, Atomics.wait). A call into native code (execSync,
 * pbkdf2Sync, JSON.parse) cannot: then the pause comes when the call returns, and so does the answer.
 */

/** A thread under the debugger. */
export interface Debuggee {
  /** A command of the DevTools protocol and its result. */
  post(method: string, params?: object): Promise<unknown>
  /** Events of the protocol; their parameters have its shapes. */
  onEvent(listener: (method: string, params: unknown) => void): void
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>
  /** Leaves the thread as it was. */
  close(): Promise<void>
}

/** `line` and `column` count from 1. */
interface Frame {
  name: string
  url: string
  line: number
  column: number
}

/** `run` is that of the async context the thread was in; null when it was in none. */
export interface Sighting {
  run: Whereabouts | null
  frames: Frame[]
}

/** What an executor answers when it is asked whose code it runs just now. */
export interface Whereabouts {
  seq: number
  /** Name of the job, and its id: the run may have ended and left a timer behind. */
  name: string
  id: string
  queue: string
}

/** Global function of an executor that returns its Whereabouts as JSON. */
export const WHERE = Symbol.for('bullmq-runner.where')

interface Paused {
  callFrames: {
    callFrameId: string
    functionName: string
    location: { scriptId: string; lineNumber: number; columnNumber?: number }
  }[]
}
interface Script {
  scriptId: string
  url: string
}

/** Frames deeper than this say nothing more. */
const DEPTH = 50

/** Pauses the thread once, however long that takes, and closes the debuggee. Rejects when the thread ends before. */
export async function sight(debuggee: Debuggee): Promise<Sighting> {
  try {
    const paused = Promise.withResolvers<Paused>()
    // Frames name their script by its id; which url that is was said when it was parsed, or is said on enabling.
    const urls = new Map<string, string>()
    debuggee.onEvent((method, params) => {
      if (method === 'Debugger.scriptParsed') urls.set((params as Script).scriptId, (params as Script).url)
      if (method === 'Debugger.paused') paused.resolve(params as Paused)
    })
    // A blocked thread answers nothing: it takes both when it can be interrupted.
    const enabled = debuggee.post('Debugger.enable')
    const asked = debuggee.post('Debugger.pause')
    const ended = debuggee.ended.then(() => Promise.reject(new Error('the thread has ended')))
    const [{ callFrames }] = await Promise.race([Promise.all([paused.promise, enabled, asked]), ended])
    const run = await whose(debuggee, callFrames)
    await debuggee.post('Debugger.resume')
    await debuggee.post('Debugger.disable')
    return { run, frames: callFrames.slice(0, DEPTH).map(frame => toFrame(frame, urls)) }
  } finally {
    await debuggee.close()
  }
}

/** The same async context in every frame; but a frame of Node's own may lack the globals. */
async function whose(debuggee: Debuggee, frames: Paused['callFrames']): Promise<Whereabouts | null> {
  for (const { callFrameId } of frames) {
    const answer = (await debuggee.post('Debugger.evaluateOnCallFrame', {
      callFrameId,
      expression: `globalThis[Symbol.for(${JSON.stringify(WHERE.description)})]?.()`,
      returnByValue: true,
      silent: true,
    })) as { result?: { type: string; value?: unknown } }
    if (typeof answer.result?.value === 'string') return JSON.parse(answer.result.value) as Whereabouts | null
  }
  return null
}

function toFrame(
  { functionName, location }: Paused['callFrames'][number],
  urls: ReadonlyMap<string, string>,
): Frame {
  return {
    name: functionName,
    url: urls.get(location.scriptId) ?? '',
    line: location.lineNumber + 1,
    column: (location.columnNumber ?? 0) + 1,
  }
}
