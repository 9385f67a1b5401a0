/**
 * Which jobs refer to which stored files: a sorted set of the prefix, in the order of the files, with an entry for each
 * file of each job. It is written before the job is added, so that there is never a job whose file nobody knows of. A job
 * that is gone is told by its key; its entries are taken out by the sweep.
 */
import type { Client } from './client.ts'

export interface FileUse {
  /** `<store>/<key>`. */
  place: string
  queue: string
  /** Job id. */
  id: string
}

export interface KnownUse extends FileUse {
  /** When it was written, in milliseconds since the epoch, by the server's clock. */
  at: number
}

/** Entries that one call reads. */
const PAGE = 1_000

const ADD = `
  local time = redis.call('TIME')
  local at = string.format('%d%03d', time[1], math.floor(time[2] / 1000))
  for i = 1, #ARGV, 2 do redis.call('ZADD', KEYS[1], 0, ARGV[i] .. ' ' .. at .. ' ' .. ARGV[i + 1]) end
  return 0`

/** Takes out those that were seen, unless there are others by now. */
const FORGET = `
  if #redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], ARGV[2]) > #ARGV - 2 then return 0 end
  for i = 3, #ARGV do redis.call('ZREM', KEYS[1], ARGV[i]) end
  return 1`

type Script = (...args: string[]) => Promise<number>

interface Scripts {
  runnerFilesAdd: Script
  runnerFilesForget: Script
}

export class FileIndex {
  readonly #client: Client
  readonly #scripts: Scripts
  readonly #prefix: string
  readonly #key: string

  constructor(client: Client, prefix: string) {
    if (!('runnerFilesAdd' in client)) {
      client.defineCommand('runnerFilesAdd', { numberOfKeys: 1, lua: ADD })
      client.defineCommand('runnerFilesForget', { numberOfKeys: 1, lua: FORGET })
    }
    this.#client = client
    this.#scripts = client as unknown as Scripts
    this.#prefix = prefix
    this.#key = `${prefix}:runner:files`
  }

  async add(uses: readonly FileUse[]): Promise<void> {
    if (uses.length === 0) return
    const words = uses.flatMap(({ place, queue, id }) => [place, `${queue}:${id}`])
    await this.#scripts.runnerFilesAdd(this.#key, ...words)
  }

  /** All of one file at a time, in the order of their places. */
  async *all(): AsyncIterable<KnownUse[]> {
    let held: KnownUse[] = []
    let from = '-'
    for (;;) {
      const page = await this.#client.zrangebylex(this.#key, from, '+', 'LIMIT', 0, PAGE)
      for (const use of page.map(useOf)) {
        if (held.length > 0 && held[0]!.place !== use.place) {
          yield held
          held = []
        }
        held.push(use)
      }
      if (page.length < PAGE) break
      from = `(${page.at(-1)}`
    }
    if (held.length > 0) yield held
  }

  async of(place: string): Promise<KnownUse[]> {
    return (await this.#client.zrangebylex(this.#key, ...rangeOf(place))).map(useOf)
  }

  /** Takes out what is known of a file, which `seen` is. False: somebody has written another use of it meanwhile. */
  async forget(place: string, seen: readonly KnownUse[]): Promise<boolean> {
    const answer = await this.#scripts.runnerFilesForget(this.#key, ...rangeOf(place), ...seen.map(textOf))
    return answer === 1
  }

  /** Takes out single uses. */
  async drop(uses: readonly KnownUse[]): Promise<void> {
    if (uses.length > 0) await this.#client.zrem(this.#key, ...uses.map(textOf))
  }

  /** Those whose job Redis has, in whatever state. */
  async alive<Use extends FileUse>(uses: readonly Use[]): Promise<Use[]> {
    const there = await Promise.all(
      uses.map(({ queue, id }) => this.#client.exists(`${this.#prefix}:${queue}:${id}`)),
    )
    return uses.filter((_, i) => there[i] === 1)
  }
}

/** No sign of a place is before the blank. */
const rangeOf = (place: string): [string, string] => [`[${place} `, `(${place}!`]

const textOf = ({ place, at, queue, id }: KnownUse): string => `${place} ${at} ${queue}:${id}`

/** No queue name contains ":". */
function useOf(text: string): KnownUse {
  const [, place = '', at = '', queue = '', id = ''] = /^(\S+) (\d+) ([^:]*):(.*)$/s.exec(text) ?? []
  return { place, at: Number(at), queue, id }
}
