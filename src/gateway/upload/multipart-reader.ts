/**
 * The parts of a form, one after the other, as fast as they are taken. Files are streams that have to be read to their end
 * before the next part comes; fields are text. Whatever is wrong with the form is a Refusal, also what a parser would pass
 * over: nothing is cut, and nothing is left out.
 */
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Delimiters } from './delimiters.ts'
import { requireName } from './field-name.ts'
import { openBusboy, type FormFindings, type OpenParser } from './form-parser.ts'
import { MOST_TEXT, type UploadLimits } from './limits.ts'
import { Refusal } from './refusal.ts'

export interface FilePart {
  kind: 'file'
  name: string
  /** As the client calls it, without folders. Undefined: it does not, as a browser whose user has chosen no file. */
  fileName: string | undefined
  /** Media type that the client declares. */
  type: string
  body: Readable
}

export interface FieldPart {
  kind: 'field'
  name: string
  value: string
  type: string
}

type Limits = Pick<UploadLimits, 'maxFiles' | 'maxFields' | 'maxField'>

export class MultipartReader implements AsyncIterable<FilePart | FieldPart> {
  readonly #source: Readable
  readonly #delimiters: Delimiters
  readonly #limits: Limits
  readonly #parser: Writable
  readonly #ready: (FilePart | FieldPart)[] = []
  #wake = () => {}
  #parts = 0
  #text = 0
  /** The first thing that was wrong. */
  #failure: Error | undefined

  constructor(source: Readable, boundary: string, limits: Limits, open: OpenParser = openBusboy) {
    this.#source = source
    this.#limits = limits
    this.#delimiters = new Delimiters(boundary)
    this.#parser = open(boundary, limits, this.#findings())
    // At once, for busboy reads on in what it has: a file that it finds after its error has no end, ever.
    this.#parser.on('error', error => this.#fail(asRefusal(error)))
  }

  /** What ended it before its time: also where whoever reads a file has met the consequence first. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Once. Throws Refusal, or what the source ended with. When it is left, the source is destroyed and nothing is read any more. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FilePart | FieldPart, void, void> {
    let isOver = false
    const over = pipeline(this.#source, this.#delimiters, this.#parser).then(
      () => this.#requireWhole(),
      (error: unknown) => this.#fail(asRefusal(error)),
    )
    const end = over.then(() => {
      isOver = true
      this.#wake()
    })
    try {
      while (this.#failure === undefined) {
        const part = this.#ready.shift()
        if (part !== undefined) yield part
        else if (isOver) return
        else await new Promise<void>(resolve => (this.#wake = resolve))
      }
      throw this.#failure
    } finally {
      const cause = this.#source.errored ?? this.#parser.errored
      if (!isOver && cause !== null) this.#fail(asRefusal(cause))
      else if (!isOver) this.#failure ??= LEFT
      this.#parser.destroy()
      await end
      if (this.#failure === LEFT) this.#failure = undefined
    }
  }

  #findings(): FormFindings {
    return {
      file: (given, body, { fileName, type }) => {
        // It ends with an error when the request does; by then nobody may listen any more.
        body.on('error', () => {})
        if (this.#failure === undefined)
          this.#add(given, name => ({ kind: 'file', name, fileName: fileName || undefined, type, body }))
        else body.destroy()
      },
      field: (given, value, { type, isCut }) => {
        const { maxField } = this.#limits
        this.#add(given, name => {
          if (value === undefined)
            throw new Refusal('field', `field ${name} is in a charset that is not known`)
          if (isCut) throw new Refusal('too_large', `field ${name} has more than ${maxField} bytes`)
          this.#text += Buffer.byteLength(value)
          if (this.#text > Math.max(MOST_TEXT, maxField))
            throw new Refusal('too_large', `the text fields have more than ${MOST_TEXT} bytes`, {
              hint: 'what is so long belongs into a file',
            })
          return { kind: 'field', name, value, type }
        })
      },
      tooMany: what => {
        const { maxFiles, maxFields } = this.#limits
        const most = what === 'files' ? maxFiles : maxFields
        this.#fail(new Refusal('too_many', `the form has more than ${most} ${what}`))
      },
    }
  }

  /** Called from inside the parser, so nothing is thrown. */
  #add(given: string | undefined, part: (name: string) => FilePart | FieldPart): void {
    if (this.#failure !== undefined) return
    try {
      this.#ready.push(part(requireName(given)))
      this.#parts++
      this.#wake()
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #requireWhole(): void {
    const missing = this.#delimiters.count - 1 - this.#parts
    if (missing !== 0)
      this.#fail(
        new Refusal('malformed', 'a part is no field and no file, or the boundary is inside of a file', {
          hint: 'each part needs Content-Disposition: form-data; name="..."',
        }),
      )
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#parser.destroy(error)
    this.#wake()
  }
}

/** Whoever took the parts has stopped: what the streams say to that is no failure of the form. */
const LEFT = new Error('left')

function asRefusal(error: unknown): Error {
  if (error instanceof Refusal) return error
  const { message } = error as Error
  if (message.startsWith('Unexpected end'))
    return new Refusal('truncated', 'the form has no end: its last boundary is missing')
  return new Refusal('malformed', `the form cannot be read: ${message}`)
}
