/** The settings that decide when a job is run again, held against what was measured of its queue. */
import { intervalOf, suitableLockDuration, USUAL } from '../fleet/lock-terms.ts'
import { formatMilliseconds } from '../units.ts'
import type { QueueFacts, Setup } from './facts.ts'
import { bad, ok, type Finding, type Judgement } from './finding.ts'

/** A lock that lasts so many times longer than it need only makes the jobs of a dead replica wait. */
const NEEDLESS = 4
/** A grace beyond this makes every deployment wait; jobs that run so long should keep checkpoints. Milliseconds. */
const LONGEST_GRACE = 600_000
/** What Kubernetes has to allow beside the grace. Seconds. */
const BESIDE_GRACE = 15

const CHECKS: Record<string, (facts: QueueFacts, setup: Setup) => Judgement> = {
  lockDuration: judgeLockDuration,
  stalledInterval: judgeStalledInterval,
  maxStalledCount: judgeMaxStalledCount,
  grace: judgeGrace,
  'block.limit': judgeBlockLimit,
  'plain worker': judgePlainWorker,
}

export function stallFindings(facts: QueueFacts): Finding[] {
  return facts.setups.flatMap(setup =>
    Object.entries(CHECKS).map(([check, judge]) => {
      const judgement = judge(facts, setup)
      const who = facts.setups.length > 1 ? ` at ${setup.who}` : ''
      return { check, queue: facts.queue, ...judgement, actual: judgement.actual + who }
    }),
  )
}

/** A renewal may be late by half of a lock. */
function judgeLockDuration({ measured }: QueueFacts, { lockDuration, stalledInterval }: Setup): Judgement {
  const suitable = suitableLockDuration(measured.delay)
  const actual = show(lockDuration)
  if (suitable === undefined) return ok('not measured yet', actual)
  const late = measured.delay.percentile(USUAL)
  const expected = `${show(suitable)}: renewals are up to ${show(late)} late`
  const fix = `--lock-duration ${show(suitable)}, or auto`
  if (lockDuration / 2 <= late) return bad('error', expected, `${actual}: locks run out while jobs run`, fix)
  if (lockDuration < suitable) return bad('warning', expected, actual, fix)
  if (lockDuration <= NEEDLESS * suitable) return ok(expected, actual)
  const wait = show(lockDuration + stalledInterval)
  return bad('warning', expected, `${actual}: jobs of a killed replica wait up to ${wait}`, fix)
}

function judgeStalledInterval(_: QueueFacts, { lockDuration, stalledInterval }: Setup): Judgement {
  const most = intervalOf(lockDuration)
  const expected = `at most ${show(most)}: half of lockDuration`
  if (stalledInterval <= most) return ok(expected, show(stalledInterval))
  const actual = `${show(stalledInterval)}: jobs of a killed replica wait up to ${show(lockDuration + stalledInterval)}`
  return bad('warning', expected, actual, 'leave --stalled-interval out: it follows the lock duration')
}

function judgeMaxStalledCount(_: QueueFacts, { maxStalledCount }: Setup): Judgement {
  const expected = '1 to 10'
  const actual = String(maxStalledCount)
  if (maxStalledCount === 0)
    return bad('warning', expected, '0: a job fails when its replica dies', '--max-stalled 3')
  if (maxStalledCount <= 10) return ok(expected, actual)
  return bad(
    'warning',
    expected,
    `${actual}: a job may take down so many replicas`,
    '--max-stalled 3, and look at runner queues quarantine',
  )
}

function judgeGrace({ measured: { run } }: QueueFacts, { grace }: Setup): Judgement {
  const actual = show(grace)
  if (run.count === 0) return ok('not measured yet', actual)
  const longest = run.percentile(USUAL)
  const expected = `${show(longest)}: 99.9% of runs`
  if (longest <= grace) return ok(expected, actual)
  const told = `${actual}: longer runs begin again at each shutdown`
  if (longest > LONGEST_GRACE)
    return bad('warning', expected, told, 'keep what is done: ctx.checkpoint, ctx.step')
  const wanted = Math.ceil(longest / 1_000)
  const fix = `--grace ${wanted}s; on Kubernetes terminationGracePeriodSeconds: ${wanted + BESIDE_GRACE}`
  return bad('warning', expected, told, fix)
}

function judgeBlockLimit({ measured: { block } }: QueueFacts, { blockLimit }: Setup): Judgement {
  const { most } = block
  const expected = most === 0 ? 'a limit' : `beyond ${show(2 * most)}: the longest block was ${show(most)}`
  if (blockLimit === false)
    return bad(
      'warning',
      expected,
      'false: a handler that never returns keeps its executor',
      '--block-limit 5m',
    )
  const actual = show(blockLimit)
  if (blockLimit > 2 * most) return ok(expected, actual)
  const fix = `mend what blocks (runner fleet pardon lists it), or --block-limit ${show(4 * most)}`
  return bad('warning', expected, actual, fix)
}

/**
 * The runner's own locks hold out; those of a worker that runs handlers in its own process do not. How long they last
 * there is nowhere to be read: as long as here, is assumed.
 */
function judgePlainWorker({ measured: { block }, plain }: QueueFacts, { lockDuration }: Setup): Judgement {
  const safe = lockDuration / 2
  const expected = `no block beyond ${show(safe)}, should one work this queue too`
  const { most } = block
  const told = most === 0 ? 'none seen' : show(most)
  if (most <= safe) return ok(expected, told)
  const duration = `lockDuration ${show(2 * most)} in that worker`
  if (plain === undefined || plain === 0)
    return bad(
      'warning',
      expected,
      `${told}: it would run such a job twice`,
      `none if only runner works this queue; else ${duration}`,
    )
  const actual = `${told}, and ${plain} work${plain === 1 ? 's' : ''} it: such a job runs twice`
  return bad('error', expected, actual, `${duration}, or leave the queue to runner alone`)
}

const show = formatMilliseconds
