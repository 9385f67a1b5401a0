/** What a replica runs just now, for people: `runner fleet dump`, and the log after TTIN. */
import type { ReplicaDump, RunningJob } from '../../fleet/command.ts'
import type { BlockedRun } from '../../redis/replicas.ts'
import { formatMebibytes, formatMilliseconds } from '../../units.ts'

export function dumpText({ running, executors, blocked, abandoned, rss, loop }: ReplicaDump): string {
  const given = abandoned === 0 ? '' : `, ${abandoned} executors given up`
  return [
    `${running.length} running, rss ${formatMebibytes(rss)}, loop late by ${loop.p50} ms, at most ${loop.max} ms${given}`,
    ...executors.map(
      ({ id, state, running: held, served, late }) =>
        `  executor ${id}  ${late ? 'does not answer' : state}  ${held} running  ${served} served`,
    ),
    ...running.map(runningLine),
    ...blocked.flatMap(blockedLines),
  ].join('\n')
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
