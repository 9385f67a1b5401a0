/**
 * A terminal that is drawn on and read from. Only lines that changed are written, each over the old one and at once, so
 * nothing flickers; what was on it before comes back at the end.
 */
import { styleText } from 'node:util'
import type { Line } from './frame.ts'

const ESC = '\u001b['
const KEYS: Record<string, string> = {
  '\t': 'tab',
  '\r': 'enter',
  '\n': 'enter',
  '\u0003': 'ctrl-c',
  '\u001b': 'escape',
  '\u007f': 'backspace',
  [`${ESC}A`]: 'up',
  [`${ESC}B`]: 'down',
  [`${ESC}5~`]: 'page-up',
  [`${ESC}6~`]: 'page-down',
}

const STYLES = {
  title: ['inverse'],
  head: ['bold'],
  selected: ['inverse'],
  red: ['red'],
  yellow: ['yellow'],
  dim: ['dim'],
} as const

export interface Terminal {
  input: NodeJS.ReadStream
  output: NodeJS.WriteStream
}

export class Screen {
  readonly #terminal: Terminal
  readonly #onKey: (key: string) => void
  readonly #onResize: () => void
  #drawn: string[] = []
  readonly #onData = (data: string): void => {
    for (const key of keysOf(data)) this.#onKey(key)
  }

  constructor(terminal: Terminal, onKey: (key: string) => void, onResize: () => void) {
    this.#terminal = terminal
    this.#onKey = onKey
    this.#onResize = () => {
      this.#drawn = []
      onResize()
    }
  }

  get columns(): number {
    return this.#terminal.output.columns
  }

  get rows(): number {
    return this.#terminal.output.rows
  }

  open(): void {
    const { input, output } = this.#terminal
    // Another screen, without a cursor.
    output.write(`${ESC}?1049h${ESC}?25l${ESC}2J`)
    input.setRawMode(true)
    input.setEncoding('utf8')
    input.on('data', this.#onData)
    input.resume()
    output.on('resize', this.#onResize)
  }

  draw(lines: readonly Line[]): void {
    const { output } = this.#terminal
    const texts = lines.map(styled)
    const changed = texts.flatMap((text, i) =>
      text === this.#drawn[i] ? [] : [`${ESC}${i + 1};1H${text}${ESC}K`],
    )
    this.#drawn = texts
    if (changed.length > 0) output.write(changed.join(''))
  }

  close(): void {
    const { input, output } = this.#terminal
    input.off('data', this.#onData)
    input.setRawMode(false)
    input.pause()
    output.off('resize', this.#onResize)
    output.write(`${ESC}?25h${ESC}?1049l`)
  }
}

/** styleText leaves colours out where NO_COLOR says so; reverse and bold are no colours, and stay. */
function styled({ text, style }: Line): string {
  if (style === undefined) return text
  const plain = process.env['NO_COLOR'] !== undefined && process.env['NO_COLOR'] !== ''
  if (plain && (style === 'red' || style === 'yellow')) return text
  return styleText([...STYLES[style]], text, { validateStream: false })
}

/** One chunk may be of many keys, when somebody is fast or pastes. */
function keysOf(data: string): string[] {
  const keys: string[] = []
  for (let rest = data; rest !== '';) {
    // oxlint-disable-next-line no-control-regex -- that is what a key sends
    const [sequence = ''] = /^\u001b\[[0-9;]*[A-Za-z~]/.exec(rest) ?? [rest[0] ?? '']
    keys.push(KEYS[sequence] ?? sequence)
    rest = rest.slice(sequence.length)
  }
  return keys
}
