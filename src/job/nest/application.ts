/**
 * The handlers of a NestJS application: `--nest ./dist/app.module.js`.
 *
 * Its modules are read first without an instance being made, which is all that a command needs: which handlers there
 * are, with which schemas. An executor then starts it, once, as an application context: no port is opened.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { INestApplicationContext, LoggerService, Type } from '@nestjs/common'
import type { ModulesContainer } from '@nestjs/core'
import { RunnerError, messageOf } from '../../errors.ts'
import { formatMilliseconds } from '../../units.ts'
import { importWithin } from '../default-export.ts'
import { job, type JobDefinition } from '../define.ts'
import { shortPath } from '../file-path.ts'
import type { LoadedJob } from '../load.ts'
import type { JobFile } from '../manifest.ts'
import { importCore, rootModule, type NestCore } from './core.ts'
import { handlersIn, processorsIn, type HostedHandler } from './graph.ts'
import { runOf } from './run.ts'

/** What an executor starts an application with. */
export interface ApplicationStart {
  logger: LoggerService
  /** Whether the replica takes jobs of this queue, given those that the handlers name. */
  isWorked: (queue: string, named: ReadonlySet<string>) => boolean
}

export interface ApplicationOptions {
  /** Milliseconds, for the import and for the start each. */
  timeout: number
  /** Called before each step after the import, which has a time of its own. */
  announce: (file: JobFile) => Promise<void>
  /** Absent: only its decorators are read. */
  start?: ApplicationStart
  /** Checks the options of one handler. */
  read: (file: JobFile, definition: JobDefinition, where: string) => Promise<LoadedJob>
}

export interface Application {
  jobs: LoadedJob[]
  /** Lines for people. */
  doubts: string[]
  /** Runs the hooks of its end. Absent when it was not started. */
  close?: () => Promise<void>
}

/** Throws JOB_IMPORT_FAILED, JOB_OPTION_INVALID, NEST_APP_FAILED and NEST_QUEUE_CONTESTED. */
export async function loadApplication(file: JobFile, options: ApplicationOptions): Promise<Application> {
  const { timeout, start, read, announce } = options
  const namespace = await importWithin(file.file, timeout)
  const core = await importCore(file.file)
  const root = rootModule(file.file, namespace)
  const create = async (how: object): Promise<INestApplicationContext> =>
    core.NestFactory.createApplicationContext(root as Type, { abortOnError: false, ...how })
  await announce(file)
  const plan = await started(file, timeout, create({ preview: true, logger: false }))
  const planned = modulesOf(core, plan)
  const doubts = start === undefined ? [] : doubtProcessors(file, planned, start)
  if (start === undefined) return { jobs: await readAll(file, handlersIn(planned), read), doubts }
  await announce(file)
  const app = await started(file, timeout, create({ logger: start.logger }))
  try {
    const jobs = await readAll(file, handlersIn(modulesOf(core, app)), read, { core, app })
    return { jobs, doubts, close: () => app.close() }
  } catch (error) {
    await app.close().catch(() => undefined)
    throw error
  }
}

const modulesOf = (core: NestCore, app: INestApplicationContext): ModulesContainer =>
  app.get(core.ModulesContainer, { strict: false })

async function readAll(
  file: JobFile,
  handlers: HostedHandler[],
  read: ApplicationOptions['read'],
  host?: { core: NestCore; app: INestApplicationContext },
): Promise<LoadedJob[]> {
  const jobs = new Map<string, LoadedJob>()
  const owners = new Map<string, string>()
  for (const handler of handlers) {
    const { contract, where } = handler
    const { name, ...given } = contract
    const other = owners.get(name)
    if (other !== undefined)
      throw failed(file, `the job name ${name} is that of ${other} and of ${where}`, 'rename one of the two')
    owners.set(name, where)
    const run = host === undefined ? () => undefined : runOf(handler, host)
    const definition = job({ ...given, run })
    jobs.set(name, await read({ ...file, name }, definition, `${shortPath(file.file)}: ${where}`))
  }
  return [...jobs.values()]
}

/** A worker of the application would take jobs of the fleet, and run them without a lock that anything else renews. */
function doubtProcessors(file: JobFile, modules: ModulesContainer, { isWorked }: ApplicationStart): string[] {
  const named = new Set(handlersIn(modules).map(({ contract }) => contract.queue))
  const processors = processorsIn(modules)
  const contested = processors.find(({ queue }) => isWorked(queue, named))
  if (contested !== undefined) {
    const { name, queue } = contested
    throw new RunnerError(
      'NEST_QUEUE_CONTESTED',
      `${shortPath(file.file)}: ${name} is a @Processor of queue ${queue}, which this replica works: both would take its jobs`,
      {
        hint: `make its methods handlers by @JobHandler('${queue}', ...), or leave the queue to it: --queue`,
      },
    )
  }
  return processors.map(
    ({ name, queue }) =>
      `${shortPath(file.file)}: ${name} is a @Processor of queue ${queue}: every executor starts a worker of it, whose jobs stall when the executor ends; keep it in a module that --nest does not load`,
  )
}

/** What an application throws while it starts names no file. */
async function started<Value>(file: JobFile, timeout: number, starting: Promise<Value>): Promise<Value> {
  const over = new AbortController()
  const late = sleep(timeout, undefined, { signal: over.signal }).then(
    () => {
      throw new Error(
        `not started after ${formatMilliseconds(timeout)}: a provider or onModuleInit awaits something`,
      )
    },
    () => new Promise<never>(() => {}),
  )
  try {
    return await Promise.race([starting, late])
  } catch (error) {
    throw failed(file, messageOf(error).trim().split('\n', 1)[0] ?? '', undefined, error)
  } finally {
    over.abort()
  }
}

function failed(file: JobFile, why: string, hint?: string, cause?: unknown): RunnerError {
  return new RunnerError('NEST_APP_FAILED', `${shortPath(file.file)}: ${why}`, {
    ...(hint !== undefined && { hint }),
    ...(cause !== undefined && { cause }),
  })
}
