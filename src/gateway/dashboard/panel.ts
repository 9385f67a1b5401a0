/** All that the dashboard shows and moves, from before Redis is reached, and while it is away. */
import type { Config } from '../../config.ts'
import { RunnerError, messageOf } from '../../errors.ts'
import { Operator } from '../../fleet/operator.ts'
import { Inspector } from '../../inspector/inspector.ts'
import type { RedisHandle } from '../../redis/connection.ts'
import { sharedSessionKey } from '../../redis/session-key.ts'
import { Snapshots, type Snapshot } from '../../steering/snapshot.ts'
import type { RunProgress } from '../../steering/run-progress.ts'
import type { ActiveUpload } from '../upload/slots.ts'
import { Blocks, type BlockedJob } from './blocks.ts'
import { within } from './patience.ts'
import { Reading, type Looked } from './reading.ts'
import { Runs } from './runs.ts'
import { Sessions } from './session.ts'

/** Milliseconds that a server which is there takes at most. */
const PING_MS = 2_000

export type Fleet = Omit<Snapshot, 'migrations'> & { blocked: BlockedJob[] }

export interface Look {
  /** Milliseconds since the epoch. */
  at: number
  fleet: Looked<Fleet>
  runs: Looked<RunProgress[]>
  /** Undefined: this process takes none. */
  uploads: readonly ActiveUpload[] | undefined
}

export interface PanelOptions {
  config: Config
  /** Of what somebody should know of while the page still works. */
  onError: (error: Error) => void
  uploads?: () => readonly ActiveUpload[]
}

export interface Reached {
  redis: RedisHandle
  inspector: Inspector
  operator: Operator
}

export class Panel implements AsyncDisposable {
  readonly config: Config
  readonly runs: Runs
  readonly sessions: Sessions
  readonly #options: PanelOptions
  readonly #fleet = new Reading(() => this.#lookAtFleet())
  readonly #migrations = new Reading(() => this.runs.list())
  #reached: (Reached & { snapshots: Snapshots; blocks: Blocks }) | undefined
  #why = new RunnerError('REDIS_UNREACHABLE', 'Redis has not answered yet')

  constructor(options: PanelOptions) {
    this.#options = options
    this.config = options.config
    this.runs = new Runs(options.config)
    this.sessions = new Sessions(options.config.tokens)
  }

  /** From now on it reads there. The handle stays with who has it. */
  reach(redis: RedisHandle): void {
    const inspector = new Inspector(redis)
    const operator = new Operator(redis)
    // Runs of migrations are read beside it: of theirs the shards are shown too, and a database may be away.
    const snapshots = new Snapshots(inspector, [], [])
    this.#reached = { redis, inspector, operator, snapshots, blocks: new Blocks(operator) }
    if (this.config.tokens.length === 0) return
    sharedSessionKey(inspector.client, redis.prefix).then(
      key => this.sessions.share(key),
      (error: unknown) =>
        this.#options.onError(
          new Error(`sign-ins of the dashboard are those of this process alone: ${messageOf(error)}`),
        ),
    )
  }

  /** Until it is reached, this is why not. */
  unreachable(why: RunnerError): void {
    this.#why = why
  }

  /** Throws REDIS_UNREACHABLE until it is reached. */
  get reached(): Reached {
    if (this.#reached === undefined) throw this.#why
    return this.#reached
  }

  /** It has just answered. Throws REDIS_UNREACHABLE: nothing was asked of it then. */
  async ping(): Promise<void> {
    await within(PING_MS, this.reached.inspector.client.ping(), 'nothing was asked of it')
  }

  /** Never rejects, and takes a few seconds at most. */
  async look(): Promise<Look> {
    const [fleet, runs] = await Promise.all([this.#fleet.look(), this.#migrations.look()])
    return { at: Date.now(), fleet, runs, uploads: this.#options.uploads?.() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { inspector, operator } = this.#reached ?? {}
    for (const open of [operator, inspector, this.runs]) await open?.[Symbol.asyncDispose]()
  }

  async #lookAtFleet(): Promise<Fleet> {
    if (this.#reached === undefined) throw this.#why
    const { snapshots, blocks } = this.#reached
    const { migrations: _, ...rest } = await snapshots.take()
    return { ...rest, blocked: await blocks.list(rest.replicas) }
  }
}
