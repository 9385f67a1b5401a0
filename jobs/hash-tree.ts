/**
 * SHA-256 of every file under a folder, and one of the whole: exactly what coreutils (9.0 and later) make of it by
 *
 *     cd DIR && find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum | sha256sum
 *
 * It keeps nothing, so a run that dies is simply run again from the start by another replica.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { job } from 'bullmq-runner'
import { z } from 'zod'

/** Files read at once, 64 KiB of each in memory. */
const AT_ONCE = 16
/** Files of which the hashes are held until the total has them, in order. */
const CHUNK = 512

export default job({
  description: 'SHA-256 of all files under a folder; the total equals that of find, sort and sha256sum',
  args: z.object({ dir: z.string().min(1).describe('folder, seen from where the worker runs') }),

  async run({ args, signal, log, progress, breathe, map }) {
    const root = Buffer.from(resolve(args.dir))
    const paths: Buffer[] = []
    for await (const path of filesUnder(root, Buffer.from('.'))) {
      paths.push(path)
      progress(paths.length, undefined, 'files found')
      await breathe()
    }
    paths.sort((a, b) => Buffer.compare(a, b))
    log.info({ dir: args.dir, files: paths.length }, 'hashing')

    const total = createHash('sha256')
    let files = 0
    let bytes = 0
    const hashOne = async (path: Buffer): Promise<Hash> => {
      const hash = createHash('sha256')
      for await (const chunk of createReadStream(under(root, path), { signal }) as AsyncIterable<Buffer>) {
        hash.update(chunk)
        bytes += chunk.length
        await breathe()
      }
      progress(++files, paths.length, `${Math.round(bytes / 1e6)} MB`)
      return hash
    }
    for (let from = 0; from < paths.length; from += CHUNK) {
      const chunk = paths.slice(from, from + CHUNK)
      const hashes = await map(chunk, hashOne, { concurrency: AT_ONCE })
      for (const [i, path] of chunk.entries()) total.update(checksumLine(hashes[i]!, path))
    }
    return { files, bytes, digest: total.digest('hex') }
  },
})

/** Names are bytes, which need not be UTF-8. Links are not followed, as `find -type f` does not. */
async function* filesUnder(root: Buffer, folder: Buffer): AsyncGenerator<Buffer> {
  for (const entry of await readdir(under(root, folder), { withFileTypes: true, encoding: 'buffer' })) {
    const path = under(folder, entry.name)
    if (entry.isDirectory()) yield* filesUnder(root, path)
    else if (entry.isFile()) yield path
  }
}

const under = (folder: Buffer, name: Buffer): Buffer => Buffer.concat([folder, Buffer.from('/'), name])

/** A line of sha256sum: it marks a name that has a backslash or a line break by a backslash before the hash. */
function checksumLine(hash: Hash, path: Buffer): Buffer {
  const text = path.toString('latin1')
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
  const mark = escaped === text ? '' : '\\'
  return Buffer.from(`${mark}${hash.digest('hex')}  ${escaped}\n`, 'latin1')
}
