/** What `runner` is called with: flags and variables that it knows, a Redis, and each queue. */
import { at, fields, list, text } from '../documents.ts'
import { settingOf } from '../invocation.ts'
import { OPTIONS, type Option } from '../../options.ts'
import { closest } from '../../suggestion.ts'
import { error, warning, type Complaint, type World } from './rule.ts'
import { queueNameOf } from '../../queue-setting.ts'

/** Read by runner, and no settings. */
const OTHER_VARIABLES = ['RUNNER_PROFILE']

export function* flagComplaints({ workloads }: World): Generator<Complaint> {
  const known = [...OTHER_VARIABLES, ...Object.values(OPTIONS).flatMap(({ env }: Option) => env)]
  for (const workload of workloads) {
    for (const fault of workload.run.faults)
      yield error(workload, fault, 'runner work --help lists its flags')
    for (const name of workload.run.env.keys()) {
      if (!name.startsWith('RUNNER_') || known.includes(name)) continue
      const near = closest(name, known)
      yield warning(
        workload,
        `${name} is no setting of runner`,
        near === undefined ? 'leave it out' : `did you mean ${near}?`,
      )
    }
  }
}

export function* redisComplaints({ workloads, config }: World): Generator<Complaint> {
  for (const workload of workloads) {
    const { run } = workload
    const plain = [
      ...(run.flags.get('redis') ?? []),
      ...OPTIONS.redis.env.map(name => run.env.get(name) ?? ''),
    ]
    const open = plain.find(value => value.includes('://'))
    const fix = 'env: { name: REDIS_URL, valueFrom: { secretKeyRef: { name, key } } }'
    if (open !== undefined) {
      const hasPassword = /:\/\/[^/]*@/.test(open)
      yield hasPassword
        ? error(workload, 'the password of Redis is in plain text', fix)
        : warning(workload, 'the URL of Redis is in plain text, and has no password', fix)
    }
    const isGiven =
      config.redisInFile ||
      run.flags.has('redis') ||
      OPTIONS.redis.env.some(name => run.env.has(name)) ||
      run.hasMoreEnv
    if (!isGiven && run.verb !== undefined)
      yield error(
        workload,
        'no REDIS_URL: without one in its config file, each replica has a Redis of its own',
        fix,
      )
  }
}

export function* queueComplaints({
  workloads,
  documents,
  config,
  queues,
  seen,
}: World): Generator<Complaint> {
  const workers = workloads.filter(({ run }) => run.verb === 'work')
  if (workers.length === 0) {
    const [first] = documents
    if (first !== undefined)
      yield error({ object: first.object }, 'nothing of the manifest runs runner work', "args: ['work']")
    return
  }
  const byWorker = workers.map(workload => ({
    workload,
    worked: settingOf(workload.run, 'queues', config).map(queueNameOf),
  }))
  // One without a list works all.
  const isAll = byWorker.some(({ worked }) => worked.length === 0)
  const all = byWorker.flatMap(({ worked }) => worked)
  for (const queue of isAll ? [] : queues.filter(name => !all.includes(name))) {
    const near = closest(queue, all)
    const fix = near === undefined ? `--queue ${queue}` : `--queue ${queue}; it has ${near}`
    yield error(
      { object: workers.map(({ object }) => object).join(', ') },
      `nobody works the queue ${queue}`,
      fix,
    )
  }
  for (const { workload, worked } of queues.length === 0 ? [] : byWorker)
    for (const queue of worked.filter(name => !queues.includes(name) && !seen.includes(name))) {
      const near = closest(queue, queues)
      yield warning(
        workload,
        `no job names the queue ${queue}`,
        near === undefined ? 'leave it out, or deploy it with its jobs' : `did you mean ${near}?`,
      )
    }
}

/** Variables twice: the last wins, which is seldom what was meant. */
export function* variableComplaints({ workloads }: World): Generator<Complaint> {
  for (const workload of workloads) {
    const names = list(at(workload.container, 'env')).map(entry => text(fields(entry)['name']))
    for (const name of new Set(names.filter((one, i) => names.indexOf(one) < i)))
      yield warning(workload, `${name} is set twice`, 'once')
  }
}
