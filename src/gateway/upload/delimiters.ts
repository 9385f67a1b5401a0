/**
 * Looks for the delimiters of a form as its bytes pass, for two things that no parser tells.
 *
 * Parsers leave out a part that has no name, or whose header they cannot read, and drop the rest of a file in which the
 * boundary comes as part of a longer line. The job would get less than was sent. Here they are counted: there is one more
 * delimiter than there are parts, or something is missing.
 *
 * And what follows the last delimiter does not get to the parser: busboy opens a file that begins there and in the same
 * chunk, never ends it, and waits for its end.
 */
import { Transform, type TransformCallback } from 'node:stream'
import { BUFFERED } from './limits.ts'
import { Refusal } from './refusal.ts'

export class Delimiters extends Transform {
  readonly #delimiter: Buffer
  readonly #last: Buffer
  /** What a delimiter may have begun with. A body may begin with one, without the line break that others follow. */
  #tail = Buffer.from('\r\n')
  #count = 0
  #isOver = false

  constructor(boundary: string) {
    super({ highWaterMark: BUFFERED })
    this.#delimiter = Buffer.from(`\r\n--${boundary}`)
    this.#last = Buffer.from(`\r\n--${boundary}--`)
  }

  /** Up to the last one, which counts too. */
  get count(): number {
    return this.#count
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const [end = chunk.length] = this.#isOver ? [0] : endsOf(this.#last, this.#tail, chunk)
    if (!chunk.subarray(end).every(isSpace))
      return done(new Refusal('malformed', 'something follows the end of the form'))
    if (this.#isOver) return done()
    const form = chunk.subarray(0, end)
    this.#count += [...endsOf(this.#delimiter, this.#tail, form)].length
    this.#tail = Buffer.concat([this.#tail, form.subarray(-this.#last.length)]).subarray(-this.#last.length)
    this.#isOver = endsWith(this.#tail, this.#last)
    done(null, form)
  }
}

/** Where in `chunk` each `word` ends that is there, or begins in the `tail` before it. It has a line break at its begin only, so none overlap. */
function* endsOf(word: Buffer, tail: Buffer, chunk: Buffer): Generator<number> {
  const before = tail.subarray(-(word.length - 1))
  const across = Buffer.concat([before, chunk.subarray(0, word.length - 1)]).indexOf(word)
  if (across !== -1) yield across + word.length - before.length
  for (let at = chunk.indexOf(word); at !== -1; at = chunk.indexOf(word, at + word.length))
    yield at + word.length
}

const endsWith = (bytes: Buffer, word: Buffer): boolean => bytes.subarray(-word.length).equals(word)
const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
