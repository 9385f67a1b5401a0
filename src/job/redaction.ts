/**
 * Payload fields that are never shown, wherever a payload or a part of one is put into words: refusals, logs.
 *
 * 'password' hides every field of that name at any depth, 'card.number' every `number` in a `card`. Positions in lists
 * do not count, so 'cards.number' also reaches cards[3].number; `*` stands for any one name.
 */
const HIDDEN = '[Redacted]'

export class Redaction {
  readonly #fields: readonly string[][]

  constructor(fields: readonly string[]) {
    this.#fields = fields.map(field => field.replaceAll(/\[(?:\d+|\*)\]/g, '').split('.'))
  }

  get hidesNothing(): boolean {
    return this.#fields.length === 0
  }

  /** Whether what is at `path` is such a field, or lies in one. */
  covers(path: readonly PropertyKey[]): boolean {
    const names = path.filter(key => typeof key !== 'number').map(String)
    return names.some((_, i) => this.#endsAt(names.slice(0, i + 1)))
  }

  /** `value`, which is JSON at `path` of a payload, or a copy of it in which every such field is hidden. */
  apply(value: unknown, path: readonly PropertyKey[] = []): unknown {
    if (this.hidesNothing) return value
    if (this.covers(path)) return value === undefined ? undefined : HIDDEN
    try {
      return this.#copy(value, path.filter(key => typeof key !== 'number').map(String))
    } catch (error) {
      // Nested deeper than the stack: better nothing of it than too much.
      if (error instanceof RangeError) return HIDDEN
      throw error
    }
  }

  /** Keeps `text`, unless something could be hidden in it: what is no JSON cannot be looked through. */
  applyToText(text: string): string {
    return this.hidesNothing ? text : HIDDEN
  }

  #copy(value: unknown, names: readonly string[]): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(item => this.#copy(item, names))
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => {
        const here = [...names, name]
        return [name, this.#endsAt(here) ? HIDDEN : this.#copy(inner, here)]
      }),
    )
  }

  #endsAt(names: readonly string[]): boolean {
    return this.#fields.some(
      field =>
        field.length <= names.length &&
        field.every((name, i) => name === '*' || name === names[names.length - field.length + i]),
    )
  }
}
