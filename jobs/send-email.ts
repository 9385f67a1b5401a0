/**
 * "Sends" an e-mail by writing it to an outbox folder. A job may be run more than once: its replica can die after
 * the mail is out and before Redis knows. `key` is the same at every attempt, so the second delivery changes nothing.
 */
import { link, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { job } from 'bullmq-runner'
import { z } from 'zod'

const OUTBOX = process.env['OUTBOX'] ?? '.runner/outbox'

export default job({
  description: 'Writes an e-mail to the outbox, once',
  queue: 'mail',
  args: z.object({
    to: z.email(),
    template: z.string().default('welcome'),
  }),
  attempts: 5,
  backoff: { type: 'exponential', delay: '1s' },
  timeout: '30s',

  async run({ args, key, fence, log }) {
    const sent = await deliver(key, fence, { ...args, key, at: new Date() })
    log.info({ key }, sent ? 'sent' : 'was sent before')
    return { sent }
  },
})

/** Whole or not at all, and never a second time: link() is atomic and refuses a name that is there. */
async function deliver(key: string, fence: number, mail: object): Promise<boolean> {
  await mkdir(OUTBOX, { recursive: true })
  const path = join(OUTBOX, `${encodeURIComponent(key)}.json`)
  // Its own file for each start, should an older one still be writing.
  const draft = `${path}.${fence}.draft`
  await writeFile(draft, JSON.stringify(mail), { flush: true })
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft)
  }
}
