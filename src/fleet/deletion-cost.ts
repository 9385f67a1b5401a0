/**
 * Tells Kubernetes what it would cost to stop this replica, so that a ReplicaSet that is scaled down stops idle ones
 * first: `controller.kubernetes.io/pod-deletion-cost`. It is a wish: a rollout, a drain of the node and an eviction do not
 * ask for it, and a pod that is not ready goes first whatever it costs.
 */
import { messageOf } from '../errors.ts'
import type { OwnPod } from './own-pod.ts'
import type { Run } from './run.ts'

const ANNOTATION = 'controller.kubernetes.io/pod-deletion-cost'
/** Milliseconds: no more patches than that, however often it changes between busy and idle. */
const EVERY = 15_000
/** Any job at all is worth more than the age of it. */
const BUSY = 10
/** A job that has run for a day costs no more than that. Seconds. */
const LONGEST = 86_400
/** Seconds, doubled from here on: a cost that grew by the second would be a patch of every pod at every look. */
const FIRST_STEP = 15

type Running = Pick<Run, 'startedAt'>

/** 0 when idle, else 10 and the age of the oldest run, in seconds, rounded down to 15, 30, 60 ... */
export function deletionCost(runs: Iterable<Running>, now: number): number {
  const started = [...runs].map(({ startedAt }) => (startedAt > 0 ? startedAt : now))
  if (started.length === 0) return 0
  const age = Math.min(LONGEST, (now - Math.min(...started)) / 1_000)
  return BUSY + (age < FIRST_STEP ? 0 : FIRST_STEP * 2 ** Math.floor(Math.log2(age / FIRST_STEP)))
}

export interface DeletionCostOptions {
  pod: Pick<OwnPod, 'annotate'>
  runs: Iterable<Running>
  /** Called once for an unbroken row of failures: the replica goes on all the same. */
  onError: (message: string) => void
  /** Milliseconds. Default 15 s. */
  every?: number
}

export class DeletionCost implements Disposable {
  readonly #options: DeletionCostOptions
  readonly #timer: NodeJS.Timeout
  /** As Kubernetes has it. Not known at first: the pod may have it of a container before this one. */
  #told: number | undefined
  #isTelling = false
  #isFailing = false

  constructor(options: DeletionCostOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.#tell(), options.every ?? EVERY)
    this.#timer.unref()
  }

  async #tell(): Promise<void> {
    const { pod, runs, onError } = this.#options
    const cost = deletionCost(runs, Date.now())
    if (cost === this.#told || this.#isTelling) return
    this.#isTelling = true
    try {
      await pod.annotate({ [ANNOTATION]: String(cost) })
      this.#told = cost
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) onError(`the deletion cost of this pod cannot be set: ${messageOf(error)}`)
      this.#isFailing = true
    } finally {
      this.#isTelling = false
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
