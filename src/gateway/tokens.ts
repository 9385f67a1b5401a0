/**
 * Bearer tokens: 32 random bytes that are shown once, of which the config file holds a hash. SHA-256 is enough for what
 * cannot be guessed; a slow hash is for passwords, and would be a way to keep this process busy.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Config } from '../config.ts'
import type { Caller } from './caller.ts'

/** So that a scanner of secrets, or a person, knows one in a log. */
const MARK = 'rnr_'
const BYTES = 32

export interface NewToken {
  /** For who uses it; it is kept nowhere. */
  token: string
  /** For the config file. */
  hash: string
}

export function newToken(): NewToken {
  const token = MARK + randomBytes(BYTES).toString('base64url')
  return { token, hash: `sha256:${digest(token).toString('hex')}` }
}

export class Tokens {
  readonly #known: readonly { hash: Buffer; caller: Caller }[]

  constructor(tokens: Config['tokens']) {
    this.#known = tokens.map(({ name, hash, scopes, uploads, uploadBytes }) => ({
      hash: Buffer.from(hash.slice('sha256:'.length), 'hex'),
      caller: {
        name,
        scopes: new Set(scopes),
        ...(uploads !== undefined && { uploads }),
        ...(uploadBytes !== undefined && { uploadBytes }),
      },
    }))
  }

  get size(): number {
    return this.#known.length
  }

  /** Who has `token`. All are compared, whichever it is: how long it takes tells nothing. */
  find(token: string): Caller | undefined {
    const given = digest(token)
    let found: Caller | undefined
    for (const { hash, caller } of this.#known) if (timingSafeEqual(hash, given)) found = caller
    return found
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
