/** Writes files, slowly, and says when the first of them is whole: `writer-process.ts <folder> <files> <bytes>`. */
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { DirectoryStore } from '../../src/store/directory.ts'
import { takeIn } from '../../src/store/intake.ts'

const [, , folder = '', files = '', bytes = ''] = process.argv
// The default of Node's parent may be to die of it: a full disk is an error, and so is this limit.
process.on('SIGXFSZ' as never, () => undefined)
const store = new DirectoryStore(folder)

async function* slowly(ms: number): AsyncGenerator<Buffer> {
  const size = Number(bytes) / 10
  for (let i = 0; i < 10; i++) {
    if (i > 0) await sleep(ms)
    yield Buffer.alloc(size, 'a')
  }
}

const written = Array.from({ length: Number(files) }, async (_, i) => {
  const about = { fileName: `${i}.txt` }
  await takeIn({ name: 'uploads', store }, Readable.from(slowly(i * 10)), about)
  process.stdout.write('stored\n')
})
await Promise.all(written).catch((error: Error & { code: string }) => {
  process.stdout.write(`${error.code} ${error.message}\n`)
})
