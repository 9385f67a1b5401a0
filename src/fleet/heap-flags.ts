/**
 * Heap limits that Node was started with are for the supervisor. V8 lets such a flag win over what an executor is given:
 * with `--max-old-space-size=4096` a thread of 128 MiB grows to 4 GiB. So they end where executors begin.
 */
import { setFlagsFromString } from 'node:v8'

let reset = false

/** Before the first thread is made. The heap of this one was measured out at its start, and keeps its limit. */
export function freeThreadsOfHeapFlags(): void {
  if (!reset) setFlagsFromString('--max-old-space-size=0')
  reset = true
}

/** For a child: in NODE_OPTIONS, `--max-old-space-size-percentage` wins over any flag of a command line. */
export function withoutHeapFlags(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: options } = env
  if (options === undefined) return env
  const kept = options.replaceAll(/(^|\s)--max[-_]old[-_]space[-_]size([-_]percentage)?[=\s]\s*\S+/g, '')
  return { ...env, NODE_OPTIONS: kept.trim() }
}
