/** Downloads a page. Shows how a job waits for a network: it stops on `signal`, and tells what may be tried again. */
import { createHash } from 'node:crypto'
import { job, Retry, Unrecoverable } from 'bullmq-runner'
import { z } from 'zod'

/** "Too many requests" and "unavailable": the server may say when to come back. */
const COME_BACK_LATER = [429, 503]
const LONGEST_WAIT = 3_600_000

export default job({
  description: 'Downloads a page, and says how large it is and what its SHA-256 is',
  queue: 'web',
  args: z.object({ url: z.url({ protocol: /^https?$/ }).describe('http or https') }),
  attempts: 5,
  backoff: { type: 'exponential', delay: '1s', jitter: 0.5 },
  timeout: '30s',

  async run({ args: { url }, signal, log }) {
    // A connection that fails throws, and is tried again after the backoff.
    const response = await fetch(url, { signal })
    const { status, headers } = response
    if (!response.ok) {
      await response.body?.cancel()
      const wait = COME_BACK_LATER.includes(status) ? retryAfter(headers) : undefined
      if (wait !== undefined) throw new Retry(wait, { reason: `${url} answered ${status}` })
      const mayPass = status >= 500 || status === 408 || status === 429
      throw new (mayPass ? Error : Unrecoverable)(`${url} answered ${status}`)
    }
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of response.body ?? []) {
      hash.update(chunk)
      bytes += chunk.length
    }
    log.info({ url, bytes }, 'downloaded')
    return { status, type: headers.get('content-type'), bytes, sha256: hash.digest('hex') }
  },
})

/** Milliseconds; the header holds seconds or a date. */
function retryAfter(headers: Headers): number | undefined {
  const text = headers.get('retry-after')
  if (text === null) return undefined
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), LONGEST_WAIT)
}
