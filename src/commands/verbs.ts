/** Every verb of `runner`. The file of a verb is imported when that verb, or its help, is asked for. */
import type { Command } from 'commander'
import type { Config, Resolution } from '../config.ts'
import type { OptionKey } from '../options.ts'
import type { Output } from './output.ts'

export interface CliContext extends Output {
  /** The settings of this run, from all sources; `flags` win over those given on the command line. */
  config: (flags?: Partial<Record<OptionKey, unknown>>) => Promise<Config>
  /** The same, and where each of them comes from. */
  resolution: (flags?: Partial<Record<OptionKey, unknown>>) => Promise<Resolution>
}

/** What the file of a verb exports. */
interface Verb {
  /**
   * Adds arguments, flags, help and the action to `command`, which has its name, its one-line description and the
   * global flags already. The action resolves when the command is over and everything it opened is closed; it
   * throws `RunnerError` to fail, or sets `process.exitCode` where the outcome is not an error.
   */
  define(command: Command, context: CliContext): void
}

export interface VerbEntry {
  about: string
  load: () => Promise<Verb>
}

/** Verbs of two words, by the first of them. */
export const GROUPS: Record<string, string> = {
  fleet: 'what the replicas of this Redis know and do',
  queues: 'what is in the queues',
  jobs: 'what becomes of single jobs',
  schedules: 'which jobs are run by themselves, and when',
  migrations: 'runs of migrations: how far they are, and what becomes of them',
  uploads: 'files of jobs: which there are, and what becomes of them',
  k8s: 'how this project runs on Kubernetes',
}

export const VERBS: Record<string, VerbEntry> = {
  work: {
    about: 'run a replica: take jobs from Redis and run their handlers',
    load: () => import('./replica-flags.ts'),
  },
  serve: {
    about: 'jobs over HTTP, and how many replicas each queue needs, for an autoscaler',
    load: () => import('./serve.ts'),
  },
  enqueue: { about: 'add a job, with flags made from its schema', load: () => import('./enqueue.ts') },
  probe: {
    about: 'ask a replica on this host whether it is live, ready or started',
    load: () => import('./probe.ts'),
  },
  dev: { about: 'a private Redis and a replica, in one command', load: () => import('./dev.ts') },
  top: {
    about: 'watch queues, replicas, running jobs and migrations live',
    load: () => import('./top.ts'),
  },
  'fleet list': { about: 'list the live replicas', load: () => import('./fleet/list.ts') },
  'fleet quiet': {
    about: 'let replicas take no new jobs; what runs goes on',
    load: () => import('./fleet/quiet.ts'),
  },
  'fleet resume': {
    about: 'let replicas that are quiet take jobs again',
    load: () => import('./fleet/resume.ts'),
  },
  'fleet concurrency': {
    about: 'change how many jobs of a queue replicas run at once',
    load: () => import('./fleet/concurrency.ts'),
  },
  'fleet dump': {
    about: 'show what replicas run just now, and where they are blocked',
    load: () => import('./fleet/dump.ts'),
  },
  'fleet diff': {
    about: 'show handlers that differ between replicas',
    load: () => import('./fleet/diff.ts'),
  },
  'fleet pardon': {
    about: 'let a job that was caught blocking share executors again',
    load: () => import('./fleet/pardon.ts'),
  },
  'queues list': {
    about: 'list the queues: what waits, what runs, how fast',
    load: () => import('./queues/list.ts'),
  },
  'queues pause': {
    about: 'let no worker take jobs of a queue',
    load: () => import('./queues/pause.ts'),
  },
  'queues resume': { about: 'let jobs of a queue be taken again', load: () => import('./queues/resume.ts') },
  'queues drain': { about: 'remove the jobs that wait', load: () => import('./queues/drain.ts') },
  'queues clean': {
    about: 'remove jobs that ended long ago',
    load: () => import('./queues/clean.ts'),
  },
  'queues scale': {
    about: 'limit how many jobs of a queue run at once, in all replicas together',
    load: () => import('./queues/scale.ts'),
  },
  'queues scale-plan': {
    about: 'say how many replicas a queue needs, and why',
    load: () => import('./queues/scale-plan.ts'),
  },
  'queues quarantine': {
    about: 'list the jobs that took executors or replicas down',
    load: () => import('./queues/quarantine.ts'),
  },
  'jobs list': {
    about: 'list jobs by queue, state, name and age',
    load: () => import('./jobs/list.ts'),
  },
  'jobs show': { about: 'show all that is known of one job', load: () => import('./jobs/show.ts') },
  'jobs logs': { about: 'print what the handler of a job logged', load: () => import('./jobs/logs.ts') },
  'jobs retry': { about: 'run failed jobs again', load: () => import('./jobs/retry.ts') },
  'jobs cancel': {
    about: 'end jobs, also those that run, in any replica',
    load: () => import('./jobs/cancel.ts'),
  },
  'jobs promote': { about: 'make delayed jobs due now', load: () => import('./jobs/promote.ts') },
  'jobs remove': { about: 'forget jobs that do not run', load: () => import('./jobs/remove.ts') },
  'jobs replay': {
    about: 'run the payload of a job here, its queue untouched',
    load: () => import('./jobs/replay.ts'),
  },
  'jobs release': {
    about: 'run a job of the quarantine again, as if it had never crashed',
    load: () => import('./jobs/release.ts'),
  },
  'schedules plan': {
    about: 'show how the schedules of the files differ from those in Redis',
    load: () => import('./schedules/plan.ts'),
  },
  'schedules apply': {
    about: 'make the schedules in Redis those of the files',
    load: () => import('./schedules/apply.ts'),
  },
  'schedules list': {
    about: 'list the schedules of all queues, whoever made them, and their next runs',
    load: () => import('./schedules/list.ts'),
  },
  'schedules run': {
    about: 'add the job of a schedule now, once',
    load: () => import('./schedules/run.ts'),
  },
  'schedules remove': { about: 'remove a schedule', load: () => import('./schedules/remove.ts') },
  'migrations list': { about: 'list the runs', load: () => import('./migrations/list.ts') },
  'migrations status': {
    about: 'show how far a run is, shard by shard',
    load: () => import('./migrations/status.ts'),
  },
  'migrations pause': {
    about: 'hold a run, after the batch that it is in',
    load: () => import('./migrations/pause.ts'),
  },
  'migrations resume': {
    about: 'let a run that is held go on',
    load: () => import('./migrations/resume.ts'),
  },
  'migrations cancel': {
    about: 'end a run, after the batch that it is in; what is done stays done',
    load: () => import('./migrations/cancel.ts'),
  },
  'migrations set': {
    about: 'change batches, shards or the lag of replicas while a run goes on',
    load: () => import('./migrations/set.ts'),
  },
  'migrations test': {
    about: 'run a migration on a copy of its database, with kills on the way',
    load: () => import('./migrations/test.ts'),
  },
  'migrations retry-failed': {
    about: 'try the rows again that a run has stepped over',
    load: () => import('./migrations/retry-failed.ts'),
  },
  'migrations verify': {
    about: 'verify a run that is over once more',
    load: () => import('./migrations/verify.ts'),
  },
  'migrations wait': {
    about: 'wait for the end of a run: a gate for deployments',
    load: () => import('./migrations/wait.ts'),
  },
  'migrations errors': {
    about: 'list the rows that a run has stepped over, and why',
    load: () => import('./migrations/errors.ts'),
  },
  'migrations output': { about: 'print what a run emitted', load: () => import('./migrations/output.ts') },
  'migrations history': {
    about: 'say who did what with a run',
    load: () => import('./migrations/history.ts'),
  },
  'uploads list': {
    about: 'list stored files, with the jobs that refer to them',
    load: () => import('./uploads/list.ts'),
  },
  'uploads sweep': {
    about: 'remove files that no job refers to any more',
    load: () => import('./uploads/sweep.ts'),
  },
  verify: {
    about: 'prove on this Redis that no fault loses a job or runs one twice at once',
    load: () => import('./verify.ts'),
  },
  doctor: {
    about: 'say what is wrong with Redis, queues and those who work them, with the fix',
    load: () => import('./doctor.ts'),
  },
  check: {
    about: 'load every job file, and warn of what may hold its event loop',
    load: () => import('./check.ts'),
  },
  'k8s render': {
    about: 'print the objects of Kubernetes that run this project',
    load: () => import('./k8s/render.ts'),
  },
  config: {
    about: 'show every setting and where it comes from, without credentials',
    load: () => import('./config.ts'),
  },
  completion: {
    about: 'print what makes a shell complete verbs, flags and live names',
    load: () => import('./completion.ts'),
  },
  init: { about: 'make the first job, script and config file of a project', load: () => import('./init.ts') },
  new: {
    about: 'make the file of a job or a script, or a token for runner serve',
    load: () => import('./new.ts'),
  },
}
