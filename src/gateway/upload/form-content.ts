/** What a form has brought: text, and files that are in the store already. It says what a job does not take. */
import type { Readable } from 'node:stream'
import { readFilePlace, type FileRef } from '../../file-ref.ts'
import type { FileField } from '../../job/manifest.ts'
import type { Store } from '../../store/store.ts'
import { didYouMean } from '../../suggestion.ts'
import { within } from '../patience.ts'
import type { FieldPart, FilePart } from './multipart-reader.ts'
import { Refusal } from './refusal.ts'

export type FileFields = Readonly<Record<string, FileField>>
/** Milliseconds. */
const REMOVING = 2_000

type Keep = (part: FilePart & { fileName: string }, field: FileField) => Promise<FileRef>

export class FormContent {
  readonly #store: Store
  readonly #fields: FileFields
  readonly #texts = new Map<string, unknown>()
  readonly #files = new Map<string, FileRef[]>()

  constructor(store: Store, fields: FileFields) {
    this.#store = store
    this.#fields = fields
  }

  get texts(): Record<string, unknown> {
    return Object.fromEntries(this.#texts)
  }

  get count(): number {
    return this.#refs.length
  }

  get files(): Record<string, FileRef | FileRef[]> {
    const empty = Object.entries(this.#fields).flatMap(([name, { list, optional }]) =>
      list === true && optional !== true ? [[name, []] as const] : [],
    )
    const came = [...this.#files].map(
      ([name, refs]) => [name, this.#fields[name]?.list ? refs : refs[0]!] as const,
    )
    return Object.fromEntries([...empty, ...came])
  }

  /** Text, or what its JSON says where the part declares it. Throws Refusal 422. */
  addText({ name, value, type }: FieldPart): void {
    // Whoever could name a stored file by hand would get at those of others.
    if (this.#fieldOf(name) !== undefined)
      throw new Refusal('field', `${name} is a file, and was sent as text`, {
        hint: `curl -F ${name}=@<path>`,
      })
    if (this.#texts.has(name))
      throw new Refusal('field', `field ${name} was sent twice`, {
        hint: 'send a list as one part of type application/json',
      })
    this.#texts.set(name, type === 'application/json' ? parse(name, value) : value)
  }

  /** Reads `part.body` to its end. Throws Refusal 422, and what `keep` rejects with. */
  async addFile(part: FilePart, keep: Keep): Promise<void> {
    const { name, fileName, body } = part
    // Of a form whose user has chosen no file.
    if (fileName === undefined) return requireEmpty(name, body)
    const field = this.#fieldOf(name)
    if (field === undefined)
      throw new Refusal(
        'field',
        `this job takes no file named ${name}`,
        didYouMean(name, Object.keys(this.#fields)),
      )
    if (this.#texts.has(name)) throw new Refusal('field', `field ${name} was sent twice`)
    const earlier = this.#files.get(name) ?? []
    if (earlier.length > 0 && field.list !== true)
      throw new Refusal('field', `this job takes one file named ${name}, and two were sent`)
    const ref = await keep({ ...part, fileName }, field)
    this.#files.set(name, [...earlier, ref])
  }

  /** `sha256`: what the client says of its one file. Throws Refusal 422. */
  requireComplete(sha256: string | undefined): void {
    for (const [name, { list, optional }] of Object.entries(this.#fields))
      if (list !== true && optional !== true && !this.#files.has(name))
        throw new Refusal('field', `the file ${name} is missing`, { hint: `curl -F ${name}=@<path>` })
    if (sha256 === undefined) return
    const refs = this.#refs
    if (refs.length !== 1)
      throw new Refusal('checksum', `X-Checksum-SHA256 is of one file, and the form has ${refs.length}`)
    if (refs[0]!.sha256 !== sha256)
      throw new Refusal('checksum', `the file that came has the SHA-256 ${refs[0]!.sha256}, not ${sha256}`)
  }

  /**
   * All that was stored. What cannot be removed now, or within 2 s, is an orphan, and `uploads.orphanAge` later the sweep
   * has it: nobody waits for a store that hangs.
   */
  async remove(): Promise<void> {
    const places = this.#refs.flatMap(({ $file }) => readFilePlace($file) ?? [])
    const removed = Promise.allSettled(places.map(({ key }) => this.#store.remove(key)))
    await within(REMOVING, removed, () => new Error('the store hangs')).catch(() => undefined)
  }

  get #refs(): FileRef[] {
    return [...this.#files.values()].flat()
  }

  #fieldOf(name: string): FileField | undefined {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined
  }
}

async function requireEmpty(name: string, body: Readable): Promise<void> {
  for await (const _ of body)
    throw new Refusal('field', `the file ${name} has no file name`, {
      hint: `Content-Disposition: form-data; name="${name}"; filename="..."`,
    })
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Refusal('field', `field ${name} says that it is JSON, and is none`, { cause: error })
  }
}
