import { job } from 'bullmq-runner'

export default job({ async run() {} })
