/**
 * Signals of a replica: TERM/INT stop with a deadline, a second INT stops now, TSTP is quiet, CONT takes jobs again,
 * TTIN dumps what runs. Also as PID 1, where a signal without a handler would be ignored.
 */
import { EXIT, messageOf } from '../errors.ts'
import { dumpOf } from '../fleet/replica-state.ts'
import type { Stopping } from '../fleet/stopping.ts'
import type { Supervisor } from '../fleet/supervisor.ts'
import { formatMilliseconds } from '../units.ts'
import { endProcess } from './end-process.ts'
import { dumpText } from './fleet/dump-text.ts'

export class ReplicaSignals {
  /** A second INT came. */
  forced = false
  readonly #handlers: Partial<Record<NodeJS.Signals, () => void>>

  constructor(supervisor: Supervisor, stopping: Stopping, grace: number, note: (line: string) => void) {
    const stop = (signal: string) => {
      if (!stopping.started) {
        const left = supervisor.runs.size
        note(
          `${signal}: no new jobs, ${left} running may go on for ${formatMilliseconds(grace)}; Ctrl-C again hands them back now`,
        )
        void stopping.stop({ reason: signal, grace })
      } else if (signal === 'SIGINT') {
        if (this.forced) endProcess(EXIT.forced, supervisor.pool.lingering > 0)
        this.forced = true
        note('SIGINT: handing back what runs, now')
        stopping.hurry()
      }
    }
    this.#handlers = {
      SIGTERM: () => stop('SIGTERM'),
      SIGINT: () => stop('SIGINT'),
      SIGTSTP: () => void stopping.quiet(),
      SIGCONT: () => void stopping.resume(),
      SIGTTIN: () => dump(supervisor, note),
    }
    for (const [signal, handler] of Object.entries(this.#handlers)) process.on(signal, handler)
  }

  close(): void {
    for (const [signal, handler] of Object.entries(this.#handlers)) process.off(signal, handler)
  }
}

function dump(supervisor: Supervisor, note: (line: string) => void): void {
  dumpOf(supervisor).then(
    dumped => dumpText(dumped).split('\n').forEach(note),
    (error: unknown) => note(`no dump: ${messageOf(error)}`),
  )
}
