/** Holds a slot for `ms`, and no CPU. */
import { setTimeout as sleep } from 'node:timers/promises'
import { job } from 'bullmq-runner'

export default job({ run: ({ args }) => sleep((args as { ms: number }).ms, undefined) })
