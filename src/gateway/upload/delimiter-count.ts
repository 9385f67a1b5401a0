/**
 * Counts the delimiters of a form as its bytes pass. Parsers leave out a part that has no name, or whose header they cannot
 * read, and drop the rest of a file in which the boundary comes as part of a longer line. None of them says so, and the job
 * would get less than was sent: there is one more delimiter than there are parts, or something is missing.
 */
import { Transform, type TransformCallback } from 'node:stream'
import { BUFFERED } from './limits.ts'

export class DelimiterCount extends Transform {
  readonly #delimiter: Buffer
  /** What a delimiter may have begun with. A body may begin with one, without the line break that others follow. */
  #tail = Buffer.from('\r\n')
  #count = 0

  constructor(boundary: string) {
    super({ highWaterMark: BUFFERED })
    this.#delimiter = Buffer.from(`\r\n--${boundary}`)
  }

  get count(): number {
    return this.#count
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const { length } = this.#delimiter
    // One that lies across the edge ends within the first bytes of the chunk. Line breaks are nowhere else in it, so none overlap.
    const edge = Buffer.concat([this.#tail, chunk.subarray(0, length - 1)])
    this.#count += this.#countIn(edge) + this.#countIn(chunk)
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-(length - 1))]).subarray(-(length - 1))
    done(null, chunk)
  }

  #countIn(bytes: Buffer): number {
    let count = 0
    for (let at = 0; (at = bytes.indexOf(this.#delimiter, at)) !== -1; at += this.#delimiter.length) count++
    return count
  }
}
