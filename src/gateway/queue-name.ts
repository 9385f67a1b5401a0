/** What no queue can be called: BullMQ refuses a colon, and the rest belongs into no key. */
import { Problem } from './problem.ts'

// oxlint-disable-next-line no-control-regex -- those are what is looked for
const NO_NAME = /[:\u0000-\u001f\u007f]/
const LONGEST_NAME = 200

/** Throws Problem 400. */
export function requireQueueName(queue: string): string {
  if (queue !== '' && queue.length <= LONGEST_NAME && !NO_NAME.test(queue)) return queue
  throw new Problem(400, 'USAGE', `a queue has no such name: at most ${LONGEST_NAME} characters, and no ":"`)
}
