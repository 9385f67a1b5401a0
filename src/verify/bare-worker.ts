/** A replica of `runner verify --subject bullmq`: a BullMQ worker with the handler in its own process, as anybody has it. */
import { Worker, type Job } from 'bullmq'
import { openEndpoint } from '../redis/endpoint.ts'
import { canary, placeOf, type Act } from './canary.ts'

const { endpoint, ...options } = placeOf(process.env).bare
const worker = new Worker<Act>(
  'verify',
  (job: Job<Act>) => canary({ id: job.id ?? '', fence: job.attemptsStarted }, job.data),
  { ...options, connection: openEndpoint(endpoint, 'bare') },
)
worker.on('error', () => undefined)
await worker.waitUntilReady()
process.stderr.write('{"event":"fleet.started"}\n')
process.once('SIGTERM', () => void worker.close().then(() => process.exit(0)))
