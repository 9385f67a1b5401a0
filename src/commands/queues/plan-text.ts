/** An estimate in words: the sum, what bounds it, and what would make it another. */
import type { Estimate, Limit } from '../../scaling/estimate.ts'
import { textTable } from '../../table.ts'
import { formatMilliseconds as time } from '../../units.ts'

export function planText(estimate: Estimate): string {
  const { signal, replicas } = estimate.facts
  const head = `${signal.queue}: ${plural(estimate.desiredReplicas, 'replica')} wanted, ${replicas} live`
  const rows = [...termRows(estimate), ...boundRows(estimate)]
  const table = textTable(rows.map(row => ['  ', ...row]))
  return [head, table, ...remarks(estimate).map(line => `  - ${line}`)].join('\n')
}

type Line = [part: string, reckoning: string, replicas: string]

function termRows({ facts, terms, runnable, wanted }: Estimate): Line[] {
  const { signal, rules, concurrency, jobTime } = facts
  const slots = `${figure(concurrency)} at once`
  const waits = [
    [signal.waiting, 'waiting'],
    [signal.prioritized, 'prioritized'],
    [signal.dueDelayed, `due within ${time(rules.scaleLead)}`],
  ] as const
  const parts = waits.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  const backlog = signal.paused ? 'paused: nothing is taken' : parts.join(' + ') || 'nothing waits'
  return [
    ['busy', `${signal.active} active / (${signal.paused ? '' : '0.8 x '}${slots})`, figure(terms.busy)],
    [
      'drain',
      runnable === 0 ? backlog : `(${backlog}) x ${time(jobTime)} / (${slots} x ${time(rules.drainTarget)})`,
      figure(terms.drain),
    ],
    [
      'late',
      signal.oldestAge === null
        ? 'nothing waits'
        : `the oldest has waited ${time(signal.oldestAge)}, it may ${time(rules.latencyObjective)}`,
      figure(terms.late),
    ],
    ['sum', 'busy and drain, rounded up, and late', String(wanted)],
  ]
}

const LIMITS: Record<Limit, (estimate: Estimate) => string> = {
  maxReplicas: () => 'maxReplicas',
  globalConcurrency: ({ facts: { signal, concurrency } }) =>
    `${signal.globalConcurrency} jobs at once in all replicas / ${figure(concurrency)}`,
  rateLimit: ({ facts: { signal, jobTime, concurrency } }) => {
    const { max = 0, duration = 0 } = signal.rateLimit ?? {}
    return `${max} jobs in ${time(duration)} x ${time(jobTime)} / (0.8 x ${figure(concurrency)} at once)`
  },
}

function boundRows(estimate: Estimate): Line[] {
  const { limits, least, wanted } = estimate
  const rows = limits.map(({ by, replicas, binds }): Line => {
    const what = LIMITS[by](estimate)
    return ['at most', binds ? `${what}: this holds it down` : what, String(replicas)]
  })
  if (least > 0) {
    const why = least === estimate.facts.rules.minReplicas ? 'minReplicas' : 'something runs, waits or is due'
    rows.push(['at least', least > wanted ? `${why}: this holds it up` : why, String(least)])
  }
  return rows
}

/** What would change it. */
function remarks({ facts, limits, runnable, terms, drainTime }: Estimate): string[] {
  const { signal, rules, concurrency, jobTime, replicas } = facts
  const { queue, nextDue } = signal
  const lines: string[] = []
  const binding = limits.find(({ binds }) => binds)?.by
  if (signal.paused) lines.push(`paused: runner queues resume ${queue}`)
  if (binding === 'globalConcurrency') lines.push(`more would find no slot: runner queues scale ${queue} <n>`)
  if (binding === 'rateLimit') lines.push('more would wait for the rate limit of the queue')
  if (binding === 'maxReplicas') lines.push('more are needed: --max-replicas, or scaling in the config file')
  if (runnable > 0) {
    const each = (concurrency * rules.drainTarget) / jobTime
    lines.push(`one more for each ${plural(Math.max(1, Math.round(each)), 'job')} that wait beside them`)
  }
  if (terms.busy > 0 || runnable > 0)
    lines.push(
      `one more for each ${plural(Math.max(1, Math.round(concurrency * 0.8)), 'job')} that run beside them`,
    )
  if (nextDue !== null && nextDue > rules.scaleLead)
    lines.push(`a delayed job is due in ${time(nextDue)}: it counts in ${time(nextDue - rules.scaleLead)}`)
  if (signal.waitingChildren > 0)
    lines.push(`${plural(signal.waitingChildren, 'job')} with children do not count before those are done`)
  if (facts.jobTimeFrom === 'setting')
    lines.push(`no run was measured: that a job takes ${time(jobTime)} is assumed, see --job-time`)
  if (facts.concurrencyFrom === 'setting')
    lines.push(`no replica is live: ${figure(concurrency)} at once is what the settings say`)
  if (runnable > 0 && drainTime !== null)
    lines.push(`the ${plural(replicas, 'replica')} that are live need ${time(drainTime)} for what waits`)
  return lines
}

const figure = (value: number): string => String(Math.round(value * 100) / 100)
const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
