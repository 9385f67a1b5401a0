/**
 * Imported by every process of a soak: the main thread of a `runner work` writes down what its heap holds after a
 * collection, once a second, into `<SOAK_DIR>/<pid>`. What handlers hold stands in other threads and does not count.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread } from 'node:worker_threads'

const { SOAK_DIR } = process.env
const isSupervisor =
  isMainThread && process.argv[1]?.endsWith('runner.js') === true && process.argv[2] === 'work'

if (isSupervisor && SOAK_DIR !== undefined) {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  setInterval(() => {
    collect()
    const { heapUsed, external, rss } = process.memoryUsage()
    const line = [performance.now(), heapUsed + external, rss].map(Math.round).join(' ')
    appendFileSync(join(SOAK_DIR, String(process.pid)), `${line}\n`)
  }, 1_000).unref()
}
