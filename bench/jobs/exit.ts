/** Ends its executor; started again, it is over at once. */
import { job } from 'bullmq-runner'

export default job({
  run: async ({ fence }) => {
    if (fence === 1) process.exit(1)
  },
})
