// A processor as BullMQ's sandbox runs it, unchanged: an existing fleet moves over a file at a time.
// runner enqueue word-count --file README.md --wait
const { createReadStream } = require('node:fs')
const { stat } = require('node:fs/promises')
const { createInterface } = require('node:readline')

module.exports = async (job, token, signal) => {
  const { size } = await stat(job.data.file)
  const input = createReadStream(job.data.file, { signal })
  const count = { lines: 0, words: 0 }
  let shown = 0
  for await (const line of createInterface({ input })) {
    count.lines++
    count.words += line.match(/\S+/g)?.length ?? 0
    const percent = Math.floor((100 * input.bytesRead) / size)
    if (percent > shown) await job.updateProgress((shown = percent))
  }
  await job.log(`${job.data.file}: ${count.lines} lines, ${count.words} words`)
  return count
}
