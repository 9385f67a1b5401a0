/**
 * Who a browser belongs to: whoever signed in with a token of the config. The cookie is signed and holds no token, so
 * nothing is kept of it here; it ends after 12 hours, when its token leaves the config, or when the key changes. Until a
 * key that all processes share is known (redis/session-key.ts), sign-ins are those of this process.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Config } from '../../config.ts'
import type { Caller } from '../caller.ts'

/** Milliseconds. */
export const SESSION_LASTS = 12 * 3_600_000
/** Hex digits of the hash of a token that tell it from the others. */
const ID_DIGITS = 16

export interface Session {
  caller: Caller
  /** Milliseconds since the epoch. */
  until: number
  /** As the browser has it. */
  cookie: string
}

export class Sessions {
  readonly #tokens: Config['tokens']
  readonly #own = randomBytes(32)
  #shared: Buffer | undefined

  constructor(tokens: Config['tokens']) {
    this.#tokens = tokens
  }

  /** From now on sign-ins of other processes with this key count, and ours there. */
  share(key: Buffer): void {
    this.#shared = key
  }

  /** The cookie of whoever has just shown `token`; undefined: it is none of the config. */
  open(token: string, now = Date.now()): string | undefined {
    const hash = createHash('sha256').update(token).digest('hex')
    const known = this.#byId(hash.slice(0, ID_DIGITS))
    if (known === undefined || !isEqual(known.hash, `sha256:${hash}`)) return undefined
    const claim = [
      hash.slice(0, ID_DIGITS),
      (now + SESSION_LASTS).toString(36),
      randomBytes(12).toString('base64url'),
    ].join('.')
    return `${claim}.${macOf(this.#keys[0] as Buffer, `session ${known.hash} ${claim}`)}`
  }

  /** Undefined: it is no cookie of ours, or not any more. */
  read(cookie: string | undefined, now = Date.now()): Session | undefined {
    const [, claim, id, until, mac] =
      /^(([0-9a-f]{16})\.([0-9a-z]{1,10})\.[\w-]{16})\.([\w-]{43})$/.exec(cookie ?? '') ?? []
    if (cookie === undefined || claim === undefined || id === undefined || mac === undefined) return undefined
    const known = this.#byId(id)
    const end = Number.parseInt(until ?? '', 36)
    if (known === undefined || !(end > now)) return undefined
    if (!this.#keys.some(key => isEqual(macOf(key, `session ${known.hash} ${claim}`), mac))) return undefined
    return { caller: { name: known.name, scopes: new Set(known.scopes) }, until: end, cookie }
  }

  /** What a form of this session has to bring along. `cookie`: '' where nobody signs in. */
  formToken(cookie: string): string {
    return macOf(this.#keys[0] as Buffer, `form ${cookie}`)
  }

  isFormToken(cookie: string, given: string): boolean {
    return this.#keys.some(key => isEqual(macOf(key, `form ${cookie}`), given))
  }

  #byId(id: string) {
    return this.#tokens.find(({ hash }) => hash.startsWith(`sha256:${id}`))
  }

  /** The first signs. */
  get #keys(): Buffer[] {
    return this.#shared === undefined ? [this.#own] : [this.#shared, this.#own]
  }
}

function macOf(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

/** How long it takes tells nothing of where they differ. */
function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
