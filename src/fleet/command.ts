/**
 * What an operator can tell replicas to do, and what they answer. A command is for the replicas that it names, and
 * only for a while: one that was frozen or cut off meanwhile does not do later what the operator was told it had not.
 */
import type { BlockedRun } from '../redis/replicas.ts'

/** Topic of all commands. Answers go to `answerTopic` of who asked. */
export const COMMANDS = 'command'
export const answerTopic = (asker: string): string => `answer.${asker}`

export interface JobRef {
  queue: string
  id: string
}

/** What each takes, and what it gives back. */
export interface Verbs {
  /** Take no new jobs. */
  quiet: { takes: null; gives: { running: number } }
  /** Take jobs again. */
  resume: { takes: null; gives: { quiet: boolean } }
  /** Jobs at once of one queue, until the replica ends. */
  concurrency: { takes: { queue: string; concurrency: number }; gives: { before: number } }
  dump: { takes: null; gives: ReplicaDump }
  /** One entry a job, in the order of `jobs`; null: it does not run here. */
  cancel: { takes: { jobs: JobRef[]; reason: string }; gives: (Cancelled | null)[] }
}

export type Verb = keyof Verbs

export interface Command<V extends Verb = Verb> {
  id: string
  /** Node that waits for the answers. */
  asker: string
  /** Ids of replicas. */
  to: readonly string[]
  /** Milliseconds since the epoch, by Redis: nobody begins it later. */
  until: number
  verb: V
  args: Verbs[V]['takes']
}

export interface Answer {
  /** Of the command. */
  id: string
  replica: string
  value?: unknown
  error?: string
}

/** What became of a run that was cancelled, and after how many milliseconds. */
export interface Cancelled {
  /**
   * `stopped`: the handler ended when its signal aborted. `killed`: it did not, and its executor was ended.
   * `completed`: it was faster. `not-started`: it had not begun yet.
   */
  how: 'stopped' | 'killed' | 'completed' | 'not-started'
  job: string
  ms: number
}

export interface ReplicaDump {
  running: RunningJob[]
  executors: { id: number; state: string; running: number; served: number; late: boolean; pid?: number }[]
  blocked: BlockedRun[]
  /** Executors inside native code that were given up. */
  abandoned: number
  rss: number
  /** How late the supervisor's own event loop was since its start, in milliseconds: the median and the worst. */
  loop: { p50: number; max: number }
}

export interface RunningJob {
  queue: string
  job: string
  id: string
  attempt: number
  fence: number
  /** Milliseconds; 0: it waits for an executor. */
  ms: number
  executor?: number
  /** Why its signal was aborted. */
  aborted?: string
}
