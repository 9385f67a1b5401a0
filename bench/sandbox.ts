/** The processor file of BullMQ's own sandbox: the same two handlers. */
import { spin } from './spin.ts'

export default async (job: { name: string }): Promise<void> => {
  if (job.name === 'spin') spin()
}
