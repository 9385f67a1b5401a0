/**
 * Records of a CSV file, by their byte offset: a slice goes on where the last batch ended, and does not read what is
 * before. Every replica has to see the same file under the same path, or in the same store, and it must not change while a
 * run goes on. Of a stored file, the hash is looked at when the run is planned.
 */
import type { FileRef } from '../file-ref.ts'
import { csvFile, type CsvFile } from './csv-file.ts'
import type { Row } from './database.ts'
import { portionOf, type Cursor, type Portion, type Range, type Source } from './source.ts'

export interface CsvOptions {
  /** Default ','. */
  delimiter?: string
  /** Names of the fields. Default: the first record names them. */
  columns?: readonly string[]
}

interface Place {
  start: number
  end: number
}

/** Records from which the number of all is told. */
const SAMPLED = 200

/**
 * `file`: a path, or a file of the payload.
 *
 * @example
 * export default migration({
 *   args: z.object({ users: file({ types: ['text/csv'] }) }),
 *   source: ({ users }) => csv(users),
 *   async each(row, { tx }) { await tx.query('insert into users (email) values ($1)', [row.email]) },
 * })
 */
export function csv<Of extends object = Row>(file: string | FileRef, options: CsvOptions = {}): Source<Of> {
  const fresh = () => new CsvSource(file, options) as unknown as Source<Of>
  return Object.assign(fresh(), { fresh })
}

class CsvSource implements Source {
  readonly #file: CsvFile
  readonly #delimiter: string
  readonly #given: readonly string[] | undefined
  readonly #places = new WeakMap<object, Place>()
  #head: Promise<{ columns: readonly string[]; end: number }> | undefined
  /** Parsed by `next`, and read right after it. */
  #page: { after: number; last: number; rows: Row[] } | undefined

  constructor(file: string | FileRef, { delimiter = ',', columns }: CsvOptions) {
    this.#file = csvFile(file)
    this.#delimiter = delimiter
    this.#given = columns
  }

  async bounds(): Promise<Range | undefined> {
    const { end } = await this.#header()
    const size = await this.#file.size()
    return size <= end ? undefined : { after: [String(end)], until: [String(size)] }
  }

  /** At line ends outside of quotes: to know which those are, the file is read once. */
  async split(_db: unknown, { after, until }: Range, shards: number): Promise<Range[]> {
    const [start, end] = [Number(after?.[0] ?? 0), Number(until?.[0] ?? 0)]
    const targets = Array.from({ length: shards - 1 }, (_, i) => start + ((end - start) * (i + 1)) / shards)
    const cuts: number[] = []
    let quoted = false
    const check = await this.#checkOf(end)
    let at = check === undefined ? start : 0
    for await (const chunk of await this.#file.read({ start: at, end: end - 1 })) {
      check?.take(chunk as Buffer)
      for (const byte of chunk as Buffer) {
        at++
        if (at <= start) continue
        if (byte === 0x22) quoted = !quoted
        else if (byte === 0x0a && !quoted && at >= (targets[0] ?? Infinity) && at < end) {
          cuts.push(at)
          while (targets.length > 0 && (targets[0] as number) <= at) targets.shift()
        }
      }
    }
    check?.end()
    const edges = [start, ...cuts, end]
    return edges.slice(1).map((to, i) => ({ after: [String(edges[i])], until: [String(to)] }))
  }

  async next(_db: unknown, { after, until }: Range, limit: number) {
    const start = Number(after?.[0] ?? 0)
    const rows = await this.#records(start, Number(until?.[0] ?? 0), limit)
    const last = rows.at(-1)
    if (last === undefined) return undefined
    const { end } = this.#places.get(last) as Place
    this.#page = { after: start, last: end, rows }
    return { last: [String(end)], rows: rows.length }
  }

  async read(_tx: unknown, _db: unknown, { after, until }: Range): Promise<Portion> {
    const [start, end] = [Number(after?.[0] ?? 0), Number(until?.[0] ?? 0)]
    const isParsed = this.#page?.after === start && this.#page.last === end
    const rows = isParsed ? (this.#page?.rows ?? []) : await this.#records(start, end, Infinity)
    return portionOf(rows, i => this.#keyOf(rows[i] as Row))
  }

  async one(_tx: unknown, _db: unknown, [start, end]: Cursor): Promise<Row | undefined> {
    return (await this.#records(Number(start), Number(end), 1))[0]
  }

  async estimate(): Promise<number | undefined> {
    const bounds = await this.bounds()
    if (bounds === undefined) return 0
    const [start, end] = [Number(bounds.after?.[0]), Number(bounds.until?.[0])]
    const sample = await this.#records(start, end, SAMPLED)
    const last = sample.at(-1)
    if (last === undefined || sample.length < SAMPLED) return sample.length
    const { end: sampled } = this.#places.get(last) as Place
    return Math.round((sample.length * (end - start)) / (sampled - start))
  }

  /** What goes on to the end of a stored file is read from its beginning, to be looked at as a whole. */
  async #checkOf(end: number) {
    return end === (await this.#file.size()) ? this.#file.check?.() : undefined
  }

  #keyOf(row: Row): Cursor {
    const { start, end } = this.#places.get(row) as Place
    return [String(start), String(end)]
  }

  async #header(): Promise<{ columns: readonly string[]; end: number }> {
    if (this.#given !== undefined) return { columns: this.#given, end: 0 }
    this.#head ??= this.#parse(0, undefined, 1, false).then(([first]) => ({
      columns: (first?.record as unknown as string[] | undefined) ?? [],
      end: first?.end ?? 0,
    }))
    return this.#head
  }

  async #records(start: number, end: number, limit: number): Promise<Row[]> {
    if (start >= end) return []
    const { columns } = await this.#header()
    const parsed = await this.#parse(start, end, limit, [...columns])
    return parsed.map(({ record, ...place }) => {
      this.#places.set(record, place)
      return record
    })
  }

  async #parse(
    start: number,
    until: number | undefined,
    limit: number,
    columns: string[] | false,
  ): Promise<{ record: Row; start: number; end: number }[]> {
    // Not for everybody who imports this package.
    const { parse } = await import('csv-parse')
    const stream = await this.#file.read({ start, ...(until === undefined ? {} : { end: until - 1 }) })
    const parser = parse({
      columns,
      delimiter: this.#delimiter,
      info: true,
      bom: start === 0,
      skip_empty_lines: true,
    })
    // Its errors are those of the parser.
    stream.on('error', error => parser.destroy(error))
    const found: { record: Row; start: number; end: number }[] = []
    let begin = start
    try {
      for await (const { record, info } of stream.pipe(parser) as AsyncIterable<{
        record: Row
        info: { bytes: number }
      }>) {
        const end = start + info.bytes
        found.push({ record, start: begin, end })
        begin = end
        if (found.length >= limit) break
      }
    } finally {
      stream.destroy()
    }
    return found
  }
}
