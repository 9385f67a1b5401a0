/** How `--follow` shows a job: one moving bar under its log lines on a terminal, else one JSON event a line. */
import { styleText } from 'node:util'
import { createLogUpdate } from 'log-update'
import type { JobEvent } from '../../enqueue/job-watch.ts'

export interface Display {
  show(event: JobEvent): void
  /** Leaves the terminal as it should be. */
  end(): void
}

export function jsonDisplay(stream: NodeJS.WritableStream): Display {
  return { show: event => void stream.write(`${JSON.stringify(event)}\n`), end: () => {} }
}

const WIDTH = 24

export function barDisplay(
  stream: NodeJS.WriteStream,
  now: () => number = performance.now.bind(performance),
): Display {
  const screen = createLogUpdate(stream)
  const rate = new Rate(now)
  const remark = (text: string) => screen.persist(styleText('dim', text, { stream }))
  return {
    show(event) {
      if (event.event === 'progress') screen(bar(event, rate.at(event.done)))
      else if (event.event === 'log') screen.persist(event.line)
      else if (event.event === 'stalled') remark('its replica died: the job waits for another')
      else if (event.event === 'active') remark(`attempt ${event.attempt} runs`)
    },
    end: () => screen.done(),
  }
}

/** '████████░░░░  33%  33/100  1,200/s  note' */
export function bar({ done, total, note }: JobEvent & { event: 'progress' }, perSecond: number): string {
  const parts: string[] = []
  if (total !== undefined && total > 0) {
    const share = Math.min(1, Math.max(0, done / total))
    const filled = Math.round(share * WIDTH)
    parts.push('█'.repeat(filled) + '░'.repeat(WIDTH - filled), `${Math.floor(share * 100)}%`.padStart(4))
    parts.push(`${done.toLocaleString('en')}/${total.toLocaleString('en')}`)
  } else parts.push(done.toLocaleString('en'))
  if (perSecond > 0) parts.push(`${Math.round(perSecond).toLocaleString('en')}/s`)
  if (note !== undefined) parts.push(note)
  return parts.join('  ')
}

/** Units a second since the first progress seen; a job that starts over starts the measure over. */
class Rate {
  readonly #now: () => number
  #since: { time: number; done: number } | undefined
  constructor(now: () => number) {
    this.#now = now
  }

  at(done: number): number {
    const time = this.#now()
    if (this.#since === undefined || done < this.#since.done) this.#since = { time, done }
    const seconds = (time - this.#since.time) / 1000
    return seconds > 0 ? (done - this.#since.done) / seconds : 0
  }
}
