import { Injectable } from '@nestjs/common'
import { JobHandler, contract, type JobContext } from 'bullmq-runner/nestjs'
import { z } from 'zod'

/** Shared by who adds the job and who handles it. */
export const sendEmail = contract({
  queue: 'mail',
  name: 'send-email',
  args: z.object({ to: z.email(), template: z.enum(['welcome', 'receipt']).default('welcome') }),
  attempts: 5,
  backoff: { type: 'exponential', delay: '1s' },
  timeout: '30s',
})

@Injectable()
export class Mailer {
  /** Here a provider of mail would be called, with `key` so that it sends a mail once. */
  async send(to: string, template: string, key: string): Promise<string> {
    return `${template} for ${to} (${key})`
  }
}

@Injectable()
export class MailHandlers {
  constructor(private readonly mailer: Mailer) {}

  @JobHandler(sendEmail)
  async send({ args, key, log }: JobContext<z.output<typeof sendEmail.args & {}>>) {
    log.info('sending')
    return { sent: await this.mailer.send(args.to, args.template, key), pid: process.pid }
  }

  /** Any producer of BullMQ may add it: its name and queue are all that counts. */
  @JobHandler('mail', 'clean-up')
  async cleanUp({ args }: JobContext) {
    return { cleaned: args }
  }
}
