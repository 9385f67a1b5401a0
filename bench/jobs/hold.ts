/** Holds its slot until its replica is gone, or for `ms`; started again, it is over at once. */
import { setTimeout as sleep } from 'node:timers/promises'
import { job } from 'bullmq-runner'

export default job({
  run: async ({ args, fence, signal }) => {
    if (fence === 1) await sleep((args as { ms: number }).ms, undefined, { signal })
  },
})
