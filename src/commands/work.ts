/** What `runner work` does: one replica, until it is told to stop. Its flags are in replica-flags.ts. */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { databasesOf, type Config } from '../config.ts'
import { EXIT, RunnerError, messageOf, type ExitCode } from '../errors.ts'
import { Control } from '../fleet/control.ts'
import { DeletionCost } from '../fleet/deletion-cost.ts'
import { memoryDoubt } from '../fleet/executor-memory.ts'
import { FileWatch } from '../fleet/file-watch.ts'
import { Health } from '../fleet/health.ts'
import { lastWords } from '../fleet/last-words.ts'
import { OwnPod } from '../fleet/own-pod.ts'
import { Recycling } from '../fleet/recycling.ts'
import { StopConditions } from '../fleet/stop-conditions.ts'
import { Stopping } from '../fleet/stopping.ts'
import { Supervisor } from '../fleet/supervisor.ts'
import type { BrokenFile, Manifest } from '../job/manifest.ts'
import { partId, partPayload } from '../job/part.ts'
import { Reconciler } from '../migration/reconciler.ts'
import { Events } from '../observe/events.ts'
import { logEvents } from '../observe/log-events.ts'
import { takeLibraryWarnings } from '../observe/library-warnings.ts'
import { openLog, type ProcessLog } from '../observe/logger.ts'
import { TerminationLog } from '../observe/termination-log.ts'
import { openTelemetry } from '../observe/telemetry.ts'
import { readQueue } from '../queue-setting.ts'
import { openRedis, type RedisHandle } from '../redis/connection.ts'
import { endProcess } from './end-process.ts'
import { jobFiles, placeHint } from '../enqueue/job-files.ts'
import { doubtQueues } from './queue-doubt.ts'
import { seeToSchedules, type ScheduleDuty } from './schedule-duty.ts'
import { ReplicaSignals } from './work-signals.ts'

/** Runs a replica to its end; its exit code is in `process.exitCode`. Never leaves a handler behind. */
export async function work(config: Config, watch: boolean, duty: ScheduleDuty = 'doubt'): Promise<void> {
  const log = await openLog(config.logLevel)
  const last = new TerminationLog(config.terminationLog, line => log.logger.warn(line))
  try {
    await run(config, { watch, duty, log, last })
  } catch (error) {
    last.fail(error)
    throw error
  }
}

interface RunParts {
  watch: boolean
  duty: ScheduleDuty
  log: ProcessLog
  last: TerminationLog
}

async function run(config: Config, { watch, duty, log, last }: RunParts): Promise<void> {
  const found = jobFiles(config)
  const queuesGiven = Object.fromEntries(config.queues.map(text => readQueue(text, config.concurrency)))
  if (found.files.length + found.broken.length === 0) {
    throw new RunnerError('CONFIG_INVALID', `no job file in ${config.jobs.join(' or ')}`, {
      hint: placeHint(config) ?? 'runner init makes a first one',
    })
  }
  const note = (line: string) => log.logger.info(line)
  const warn = (line: string) => log.logger.warn(line)
  takeLibraryWarnings(warn)
  const doubt = memoryDoubt(config)
  if (doubt !== undefined) warn(doubt)
  const events = new Events()
  logEvents(events, log.logger)
  const redis = await openRedis(config, { onMessage: note, asReplica: true })
  redis.warnings.forEach(warn)
  const tracing = config.telemetry ? await openTelemetry(warn) : undefined
  const supervisor = new Supervisor({
    config,
    redis,
    events,
    files: found.files,
    onLine: log.writeLine,
    telemetry: tracing?.telemetry,
  })
  const stopping = new Stopping(supervisor, config, events)
  const conditions = new StopConditions(config, supervisor, stopping, events)
  const recycling = new Recycling(config, supervisor, stopping, events)
  const signals = new ReplicaSignals(supervisor, stopping, config.grace, note)
  /** What accompanies the replica, closed in reverse order once it has stopped. */
  const beside = new AsyncDisposableStack()
  beside.use(tracing)
  beside.defer(() => redis.close())
  beside.use(last.follow(events, () => lastWords(supervisor)))
  const health = beside.use(new Health({ config, supervisor, stopping, redis, events }))
  let code: ExitCode = EXIT.runtime
  conditions.startClock()
  try {
    if (config.http !== undefined) {
      const { openHttp } = await import('./replica-http.ts')
      beside.use(await openHttp(config.http, { supervisor, stopping, health, events }))
    }
    const started = supervisor.start(manifest => {
      refuseBroken(config, [...found.broken, ...manifest.broken])
      manifest.doubts?.forEach(warn)
      return Object.keys(queuesGiven).length > 0 ? queuesGiven : queuesOf(manifest, config)
    })
    // Told to stop while it boots, it never starts.
    await Promise.race([started, stopping.whenStopped()])
    if (!stopping.started) {
      conditions.start()
      await recycling.start()
      beside.use(openControl(config, { supervisor, stopping, redis, events }))
      beside.use(openReconciler(config, supervisor, events))
      beside.use(openDeletionCost(config, supervisor, events))
      void doubtQueues(Object.keys(queuesGiven), supervisor, redis, warn)
      const see = () =>
        void seeToSchedules(duty, { config, redis, jobs: [...supervisor.jobs.values()], note, warn })
      see()
      events.on('fleet.reloaded', see)
    }
    const watcher = watch && !stopping.started ? watchFiles(config, supervisor, events, warn) : undefined
    const { handedBack } = await stopping.whenStopped()
    watcher?.close()
    code = signals.forced ? EXIT.forced : handedBack > 0 ? EXIT.handedBack : stopping.code
  } catch (error) {
    await stopping.stop({ reason: 'could not start', grace: 0 })
    throw error
  } finally {
    conditions.close()
    recycling.close()
    signals.close()
    // None of it is the reason of the end.
    const closed = beside.disposeAsync().catch((error: unknown) => warn(`at its end: ${messageOf(error)}`))
    await Promise.race([closed, new Promise(done => setTimeout(done, 1_000))])
  }
  // What user code left open in a library of the supervisor's process must not outlive the deadline.
  endProcess(code, supervisor.pool.lingering > 0)
}

function openControl(
  { abortGrace }: Config,
  parts: { supervisor: Supervisor; stopping: Stopping; redis: RedisHandle; events: Events },
): AsyncDisposable {
  const onError = ({ message }: Error) =>
    parts.events.emit('worker.error', {
      queue: '',
      message: `operators cannot reach this replica: ${message}`,
    })
  const control = new Control({ ...parts, abortGrace, onError })
  return { [Symbol.asyncDispose]: () => control.close() }
}

/** None where there is nothing to look after. */
function openReconciler(config: Config, supervisor: Supervisor, events: Events): AsyncDisposable | undefined {
  const named = new Set(
    supervisor.jobs
      .values()
      .flatMap(({ migration }) => (migration === undefined ? [] : [migration.database ?? 'default'])),
  )
  if (named.size === 0) return undefined
  const databases = Object.fromEntries(
    Object.entries(databasesOf(config)).filter(([name]) => named.has(name)),
  )
  const onError = (message: string) => events.emit('worker.error', { queue: '', message })
  const reconciler = new Reconciler(
    { databases },
    ({ name, queue, run, part }) => {
      const entry = supervisor.jobs.get(name)
      // Another replica has it.
      if (entry === undefined || supervisor.quiet) return
      supervisor.producer
        .add(entry, JSON.stringify(partPayload({ run, part })), { id: partId({ run, part }), queue })
        .catch((error: unknown) => onError(messageOf(error)))
    },
    onError,
  )
  return { [Symbol.asyncDispose]: () => reconciler.close() }
}

/** None unless it is asked for. Outside of Kubernetes that is said, and is no reason not to work. */
function openDeletionCost(config: Config, { runs }: Supervisor, events: Events): DeletionCost | undefined {
  if (!config.podDeletionCost) return undefined
  const onError = (message: string) => events.emit('worker.error', { queue: '', message })
  const pod = OwnPod.of(process.env)
  if (pod !== undefined) return new DeletionCost({ pod, runs, onError })
  onError('--pod-deletion-cost: this is no pod of Kubernetes, KUBERNETES_SERVICE_HOST is not set')
  return undefined
}

/** A replica that lacks some of its handlers would fail the jobs meant for them. */
function refuseBroken(config: Config, broken: BrokenFile[]): void {
  if (broken.length === 0 || config.allowBroken) return
  // Each message begins with the file.
  const list = broken.map(({ code, message, hint }) => {
    const fix = hint === undefined ? '' : ` (${hint})`
    return `  ${code} ${message}${fix}`
  })
  throw new RunnerError('JOBS_BROKEN', `${broken.length} job file(s) cannot be loaded:\n${list.join('\n')}`, {
    hint: 'mend them, or start without them by --allow-broken',
    details: broken,
  })
}

/** All that jobs or schedules name. */
function queuesOf({ jobs }: Manifest, { concurrency, schedules }: Config): Record<string, number> {
  const named = [...jobs, ...Object.values(schedules)].flatMap(({ queue }) => queue ?? [])
  return Object.fromEntries([...new Set(named)].sort().map(queue => [queue, concurrency]))
}

function watchFiles(
  config: Config,
  supervisor: Supervisor,
  events: Events,
  warn: (line: string) => void,
): FileWatch {
  const application = config.nest === undefined ? [] : [dirname(config.nest)]
  const folders = [...config.jobs, ...application]
    .map(folder => resolve(config.cwd, folder))
    .filter(existsSync)
  const reload = async () => {
    const { files, broken } = jobFiles(config)
    const manifest = await supervisor.reload(files)
    for (const { file, code, message } of broken) events.emit('job.file-broken', { file, code, message })
    const all = broken.length + manifest.broken.length
    events.emit('fleet.reloaded', { jobs: manifest.jobs.length, broken: all })
  }
  return new FileWatch(folders, () => {
    reload().catch((error: unknown) => warn(`not reloaded, the old version goes on: ${messageOf(error)}`))
  })
}
