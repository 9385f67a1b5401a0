/** 5 ms of CPU: what hashing, templating or parsing in a handler looks like to the event loop. */
import { job } from 'bullmq-runner'
import { spin } from '../spin.ts'

export default job({
  async run() {
    spin()
  },
})
