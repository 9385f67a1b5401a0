/** The ends a replica may be given beforehand (drained, so many jobs, so long, so long without a job), and that of its executors. */
import type { Config } from '../config.ts'
import { EXIT } from '../errors.ts'
import type { Events } from '../observe/events.ts'
import { Deadline } from './deadline.ts'
import type { Stopping } from './stopping.ts'
import type { Supervisor } from './supervisor.ts'

/** How often an idle replica looks whether its queues are empty, in milliseconds. */
const LOOK_EVERY = 250

/** A delayed job that is due within so many milliseconds is waited for when a replica drains. */
const SOON = 2_000

export class StopConditions {
  readonly #config: Config
  readonly #supervisor: Supervisor
  #clock: Deadline | undefined
  #looking: NodeJS.Timeout | undefined
  readonly #stop: (reason: string, grace: number) => void
  #lastActive = Date.now()

  /** `stop` is called at most once per condition; a replica stops only once anyhow. */
  constructor(config: Config, supervisor: Supervisor, stopping: Stopping, events: Events) {
    this.#config = config
    this.#supervisor = supervisor
    this.#stop = (reason, grace) => void stopping.stop({ reason, grace })
    const { maxJobs, grace } = config
    events.on('executor.abandoned', ({ abandoned }) => {
      const alive = supervisor.pool.executors.length
      if (abandoned <= alive) return
      const reason = `${abandoned} executors are stuck in native code, ${alive} are alive`
      void stopping.stop({ reason, grace, code: EXIT.runtime })
    })
    events.on('run.ended', () => (this.#lastActive = Date.now()))
    if (maxJobs !== undefined) {
      supervisor.limit = maxJobs
      events.on('run.ended', left => {
        if (left === 0 && supervisor.started >= maxJobs) this.#stop(`${maxJobs} jobs done`, Infinity)
      })
    }
  }

  /** Before the replica starts: its time runs also while it waits for Redis. */
  startClock(): void {
    const { maxTime, grace } = this.#config
    if (maxTime === undefined) return
    this.#clock = new Deadline(maxTime, () => this.#stop('maximum time reached', grace))
  }

  /** Once it takes jobs. */
  start(): void {
    const { idleTimeout, drain } = this.#config
    this.#lastActive = Date.now()
    if (idleTimeout !== undefined || drain) {
      this.#looking = setInterval(() => void this.#look().catch(() => undefined), LOOK_EVERY)
    }
  }

  close(): void {
    this.#clock?.clear()
    clearInterval(this.#looking)
  }

  async #look(): Promise<void> {
    const { idleTimeout, drain } = this.#config
    if (this.#supervisor.runs.size > 0) {
      this.#lastActive = Date.now()
    } else if (idleTimeout !== undefined && Date.now() - this.#lastActive >= idleTimeout) {
      this.#stop('idle', Infinity)
    } else if (drain && (await this.#isDrained())) {
      this.#stop('drained', Infinity)
    }
  }

  /**
   * Nothing waits and nothing runs, here or elsewhere. Delayed jobs do not count: a scheduler always has one, and a
   * retry that is due later is the next replica's. But those that are due at once do: a slice that makes room for others
   * comes back as one.
   */
  async #isDrained(): Promise<boolean> {
    for (const worker of this.#supervisor.workers.all) {
      const { producer } = this.#supervisor
      const counts = await producer.queue(worker.name).getJobCounts('wait', 'active', 'prioritized')
      if (Object.values(counts).some(count => count > 0)) return false
      if ((await producer.nextDelayed(worker.name)) <= Date.now() + SOON) return false
    }
    return this.#supervisor.runs.size === 0
  }
}
