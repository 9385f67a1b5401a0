/** Holds its event loop for `ms`. */
import { job } from 'bullmq-runner'

export default job({
  run: async ({ args }) => {
    const end = performance.now() + (args as { ms: number }).ms
    while (performance.now() < end);
  },
})
