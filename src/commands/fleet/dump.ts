/** `runner fleet dump`: what replicas run just now, and where their event loops hang. */
import type { Command } from 'commander'
import type { ReplicaDump, RunningJob } from '../../fleet/command.ts'
import type { BlockedRun } from '../../redis/replicas.ts'
import { formatMebibytes, formatMilliseconds } from '../../units.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { addReplicas, tell, type ReplicaFlags } from './tell.ts'

export function define(command: Command, context: CliContext): void {
  addReplicas(command).action(async (names: string[], flags: ReplicaFlags) =>
    tell(context, names, flags, 'dump', null, textOf),
  )
  addHelp(
    command,
    [
      ['runner fleet dump --all', 'running jobs with their age, stacks of blocked ones, executors'],
      ['runner fleet dump web-7f9c --json'],
    ],
    ['ok', 'runtime', 'usage', 'partial', 'redis', 'notFound', 'noReplica'],
  )
}

function textOf({ running, executors, blocked, abandoned, rss, loop }: ReplicaDump): string {
  const given = abandoned === 0 ? '' : `, ${abandoned} executors given up`
  const lines = [
    `${running.length} running, rss ${formatMebibytes(rss)}, loop late by ${loop.p50} ms, at most ${loop.max} ms${given}`,
    ...executors.map(
      ({ id, state, running: held, served, late }) =>
        `  executor ${id}  ${late ? 'does not answer' : state}  ${held} running  ${served} served`,
    ),
    ...running.map(runningLine),
    ...blocked.flatMap(blockedLines),
  ]
  return lines.join('\n')
}

function runningLine({ queue, job, id, ms, attempt, executor, aborted }: RunningJob): string {
  const where = executor === undefined ? 'waits for an executor' : `executor ${executor}`
  const told = aborted === undefined ? '' : `  ${aborted}`
  return `  ${queue}  ${job} ${id}  ${formatMilliseconds(ms)}  attempt ${attempt}  ${where}${told}`
}

function blockedLines({ executor, ms, where, job, id, stack }: BlockedRun): string[] {
  const head = `  blocked: executor ${executor} for ${formatMilliseconds(ms)} by ${job ?? 'a job'} ${id ?? ''} ${where}`
  return [head, ...(stack ?? '').split('\n').filter(line => line !== '')]
}
