/** A project whose jobs make a replica do all that it can do, and the command lines of those who look after it. */

export const JOBS = {
  'package.json': '{"type":"module","name":"acl"}',
  'runner.config.ts': `export default { jobs: ['jobs'], schedules: { often: { job: 'ok', every: '1s' } } }`,
  'many.ndjson': '{}\n{}\n{}\n',
  'lines.csv': `n\n${Array.from({ length: 50 }, (_, n) => n).join('\n')}\n`,
  'jobs/ok.ts': `
    import { job } from 'bullmq-runner'
    export default job({ queue: 'q', run: async ({ progress, log, step, checkpoint, enqueue, flow, args }) => {
      progress(1, 2)
      await log('a row')
      await step('one', () => 1)
      await checkpoint.set(1)
      if (args.more) {
        await enqueue('leaf', {}, { priority: 3 })
        await flow({ job: 'parent', id: 'flow-in-job', children: [{ job: 'leaf' }] })
      }
      return 'fine'
    } })`,
  'jobs/leaf.ts': `
    import { job } from 'bullmq-runner'
    export default job({ queue: 'q', removeOnComplete: { count: 1000 }, run: () => 1 })`,
  'jobs/parent.ts': `
    import { job } from 'bullmq-runner'
    export default job({ queue: 'q', run: ({ children }) => children() })`,
  'jobs/failing.ts': `
    import { job } from 'bullmq-runner'
    export default job({ queue: 'q', attempts: 2, backoff: '100ms', run: () => { throw new Error('no') } })`,
  'jobs/snoozing.ts': `
    import { job, Snooze } from 'bullmq-runner'
    export default job({ queue: 'q', run: ({ fence }) => { if (fence < 2) throw new Snooze('200ms'); return 'up' } })`,
  'jobs/dying.ts': `export default Object.assign(() => process.exit(1), { options: { queue: 'q' } })\n`,
  'jobs/long.ts': `
    import { job } from 'bullmq-runner'
    export default job({ queue: 'q', run: ({ signal, fence, args }) => {
      if (fence > 1 && args.once) return 'again'
      return new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason)))
    } })`,
  'jobs/blocking.ts': `
    import { job } from 'bullmq-runner'
    export default job({ queue: 'q', run: () => { const end = Date.now() + 1500; while (Date.now() < end); } })`,
  'jobs/lines.ts': `
    import { csv, migration } from 'bullmq-runner'
    export default migration({ queue: 'q', effects: 'external', source: csv('lines.csv'), batch: () => {} })`,
}

/** `$long`: a job that runs, `$replica`: what runs it. */
export const VERBS = [
  ['schedules', 'plan'],
  ['schedules', 'apply'],
  ['schedules', 'list'],
  ['schedules', 'run', 'ok:often'],
  ['fleet', 'list'],
  ['fleet', 'diff'],
  ['fleet', 'dump', '$replica'],
  ['fleet', 'concurrency', 'q', '7', '$replica'],
  ['fleet', 'quiet', '$replica'],
  ['fleet', 'resume', '$replica'],
  ['fleet', 'pardon'],
  ['fleet', 'pardon', 'blocking'],
  ['jobs', 'cancel', '$long'],
  ['jobs', 'list'],
  ['jobs', 'show', '$long'],
  ['jobs', 'logs', '$long'],
  ['jobs', 'retry', '--state', 'failed', '--name', 'failing', '--yes'],
  ['jobs', 'promote', 'late'],
  ['queues', 'quarantine'],
  ['jobs', 'list', '--state', 'completed', '--since', '1h', '-o', 'jsonl'],
  ['queues', 'pause', 'q'],
  ['enqueue', 'leaf', '--id', 'unwanted'],
  ['jobs', 'remove', 'unwanted'],
  ['queues', 'drain', 'q', '--delayed', '--yes'],
  ['queues', 'resume', 'q'],
  ['queues', 'scale', 'q', '9'],
  ['queues', 'scale', 'q', 'off'],
  ['queues', 'clean', 'q', '--older-than', '0s', '--yes'],
  ['queues', 'list'],
  ['enqueue', 'lines', '--follow'],
  ['migrations', 'list'],
  ['migrations', 'status', 'lines'],
  ['enqueue', 'ok', '--wait', '--timeout', '20s'],
  ['schedules', 'remove', 'ok:often'],
  ['doctor'],
]
