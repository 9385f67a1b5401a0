/**
 * `npm run bench:upload`: what is usual for uploads against this gateway, in the same run, into the same bucket, as a table
 * in Markdown; and what is promised of its memory, line by line. Exits with 1 when a promise is not kept. The bucket is a
 * process on this host, and so is whoever sends: ratios mean something, and what it takes of memory.
 *
 *   npm run bench:upload -- --only compare --way ours --rounds 3
 *   npm run bench:upload -- --only memory
 *   npm run bench:upload -- --only slow-bucket --scale 0.1     a look: a tenth of the bytes
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { KEYS } from './bench.ts'
import { compare } from './compare.ts'
import { PROMISES } from './promises.ts'
import { WAYS, isWay, type Way } from './ways.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    way: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
  },
})
const { only, way = Object.keys(WAYS) } = values
const [rounds, scale] = [Number(values.rounds), Number(values.scale)]
const names = ['compare', 'memory', ...Object.keys(PROMISES)]
if (only !== undefined && !names.includes(only)) throw new Error(`--only: one of ${names.join(', ')}`)
const unknown = way.find(one => !isWay(one))
if (unknown !== undefined) throw new Error(`--way ${unknown}: one of ${Object.keys(WAYS).join(', ')}`)

// What has been stored is read back here.
Object.assign(process.env, KEYS)
const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}`

if (only === undefined || only === 'compare') {
  console.log(await compare({ ways: way as Way[], rounds, scale }))
  console.log(
    `\nMeasured by \`npm run bench:upload\` on ${machine}, medians of ${rounds} rounds. Memory is that of the process that takes the uploads; multer to disk needs their size on disk, too. Only this gateway hashes what it stores.\n`,
  )
}
const chosen = Object.entries(PROMISES).filter(([name]) => (only ?? 'memory') === 'memory' || only === name)
for (const [name, measure] of chosen) {
  console.log(`${name}:`)
  for (const { isKept, text } of await measure(scale)) {
    console.log(`${isKept ? 'kept  ' : 'MISSED'} ${text}`)
    if (!isKept) process.exitCode = 1
  }
}
