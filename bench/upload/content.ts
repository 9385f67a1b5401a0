/** Bytes of files that are sent: the same for the same seed, as good as random, and made as they are needed. */
import { createCipheriv, createHash } from 'node:crypto'

const PIECE = 64 * 1024
const ZEROS = Buffer.alloc(PIECE)

/** The key stream of AES: a gigabyte of it takes less than a second. */
export function* content(bytes: number, seed: number): Generator<Buffer> {
  const key = createHash('md5').update(String(seed)).digest()
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16))
  for (let left = bytes; left > 0; left -= PIECE)
    yield cipher.update(ZEROS.subarray(0, Math.min(PIECE, left)))
}

export function sha256Of(bytes: number, seed: number): string {
  const hash = createHash('sha256')
  for (const piece of content(bytes, seed)) hash.update(piece)
  return hash.digest('hex')
}
