/** The four parts of the live view: their columns, and what a row of each says. */
import type { QueueFigures } from '../../inspector/figures.ts'
import type { Replica } from '../../redis/replicas.ts'
import { formatMebibytes, formatMilliseconds } from '../../units.ts'
import type { RunningJob, RunningMigration, Snapshot } from '../../steering/snapshot.ts'

export interface Column<Row> {
  title: string
  text: (row: Row) => string
  /** What it is sorted by, the largest first; of a column without it, by its text, from A. */
  weight?: (row: Row) => number
  /** Numbers stand to the right. */
  right?: true
  /** May be cut when the screen is narrow; 'last': only when nothing else can give way. */
  flexible?: true | 'last'
  /** The first ones to be left out where even that is not enough: 1 before 2. Without it a column stays. */
  dispensable?: number
}

export interface Section<Row = unknown> {
  name: 'queues' | 'running' | 'replicas' | 'migrations'
  rows: (snapshot: Snapshot) => readonly Row[]
  /** Of a row, over all frames. */
  id: (row: Row) => string
  columns: readonly Column<Row>[]
  /** Column that it is sorted by at first. */
  sortedBy: number
  /** 'red' or 'yellow' for what somebody should look at. */
  alarm: (row: Row) => 'red' | 'yellow' | undefined
}

const QUEUES: Section<QueueFigures> = {
  name: 'queues',
  rows: ({ queues }) => queues,
  id: ({ queue }) => queue,
  columns: [
    { title: 'QUEUES', text: ({ queue }) => queue, flexible: true },
    {
      title: 'STATE',
      text: ({ paused, replicas }) => (paused ? 'paused' : replicas === 0 ? 'unworked' : 'open'),
    },
    counted('WAIT', ({ waiting, prioritized }) => waiting + prioritized),
    counted('ACT', ({ active }) => active),
    counted('DELAY', ({ delayed }) => delayed, 2),
    counted('FAIL', ({ failed }) => failed),
    { ...counted<QueueFigures>('OLDEST', ({ oldest }) => oldest ?? 0), text: ({ oldest }) => age(oldest) },
    {
      ...counted<QueueFigures>('RATE', ({ rate }) => rate),
      text: ({ rate }) => (rate === 0 ? '-' : `${short(rate)}/s`),
    },
    {
      ...counted<QueueFigures>('DRAIN', ({ drain }) => drain ?? Infinity, 1),
      text: ({ drain }) => (drain === 0 ? '-' : drain === null ? 'never' : age(drain)),
    },
    { ...counted<QueueFigures>('SLOTS', ({ slots }) => slots, 3) },
  ],
  sortedBy: 2,
  alarm: ({ paused, replicas, waiting, prioritized }) =>
    paused ? 'yellow' : replicas === 0 && waiting + prioritized > 0 ? 'red' : undefined,
}

const RUNNING: Section<RunningJob> = {
  name: 'running',
  rows: ({ running }) => running,
  id: ({ queue, id }) => `${queue} ${id}`,
  columns: [
    { title: 'RUNNING', text: ({ name }) => name, flexible: true },
    { title: 'ID', text: ({ id }) => id, flexible: true },
    { title: 'QUEUE', text: ({ queue }) => queue, flexible: true, dispensable: 1 },
    { ...counted<RunningJob>('AGE', row => row.age), text: row => age(row.age) },
    { title: 'PROGRESS', text: ({ progress }) => progressOf(progress), dispensable: 3 },
    {
      title: 'BLOCKED',
      text: ({ blocked }) => (blocked === undefined ? '' : `${age(blocked.ms)} ${blocked.where}`),
      flexible: 'last',
    },
    { title: 'REPLICA', text: ({ processedBy }) => processedBy ?? '', flexible: true, dispensable: 2 },
  ],
  sortedBy: 3,
  alarm: ({ blocked }) => (blocked === undefined ? undefined : 'red'),
}

const REPLICAS: Section<Replica> = {
  name: 'replicas',
  rows: ({ replicas }) => replicas,
  id: ({ id }) => id,
  columns: [
    { title: 'REPLICAS', text: ({ id }) => id, flexible: true },
    { title: 'STATE', text: ({ quiet }) => (quiet ? 'quiet' : 'working') },
    { title: 'VERSION', text: ({ version }) => version, dispensable: 1 },
    {
      ...counted<Replica>('UP', ({ startedAt }) => -startedAt),
      text: ({ startedAt }) => age(Date.now() - startedAt),
    },
    counted('RUN', ({ running }) => running),
    { ...counted<Replica>('RATE', ratesOf), text: replica => `${short(ratesOf(replica))}/s` },
    { ...counted<Replica>('RSS', ({ rss }) => rss), text: ({ rss }) => formatMebibytes(rss) },
    counted('BLOCKED', ({ blocked }) => blocked.length),
    { title: 'WORKS', text: ({ queues }) => Object.keys(queues).join(' '), flexible: true, dispensable: 2 },
  ],
  sortedBy: 0,
  alarm: ({ blocked, quiet }) => (blocked.length > 0 ? 'red' : quiet ? 'yellow' : undefined),
}

const MIGRATIONS: Section<RunningMigration> = {
  name: 'migrations',
  rows: ({ migrations }) => migrations,
  id: ({ run }) => run.id,
  columns: [
    { title: 'MIGRATIONS', text: ({ run }) => run.id, flexible: true },
    { title: 'STATE', text: ({ run }) => run.state },
    {
      title: '',
      text: ({ run, rows }) => bar(run.state === 'succeeded' ? 1 : rows / (run.estimate ?? Infinity)),
    },
    counted('ROWS', ({ rows }) => rows),
    {
      ...counted<RunningMigration>('RATE', ({ rate }) => rate ?? 0),
      text: ({ rate }) => (rate === null ? '-' : `${short(rate)}/s`),
    },
    {
      ...counted<RunningMigration>('LEFT', leftOf),
      text: one => (Number.isFinite(leftOf(one)) ? age(leftOf(one)) : '-'),
    },
    counted('FAIL', ({ failed }) => failed),
    { title: 'HELD', text: ({ run }) => run.error ?? run.held ?? '', flexible: 'last' },
  ],
  sortedBy: 0,
  alarm: ({ run, failed }) =>
    run.state === 'failed'
      ? 'red'
      : run.state === 'paused' || run.held !== null || failed > 0
        ? 'yellow'
        : undefined,
}

export const SECTIONS = [QUEUES, RUNNING, REPLICAS, MIGRATIONS] as unknown as readonly Section[]

function counted<Row>(title: string, weight: (row: Row) => number, dispensable?: number): Column<Row> {
  return {
    title,
    text: row => short(weight(row)),
    weight,
    right: true,
    ...(dispensable === undefined ? {} : { dispensable }),
  }
}

/** 950, 12.3k, 184k, 1.2M. */
export function short(value: number): string {
  if (value < 10) return String(Math.round(value * 10) / 10)
  if (value < 10_000) return String(Math.round(value))
  const [size, unit] =
    value < 1e6 ? [value / 1e3, 'k'] : value < 1e9 ? [value / 1e6, 'M'] : [value / 1e9, 'G']
  return `${size < 100 ? size.toFixed(1) : Math.round(size)}${unit}`
}

function age(ms: number | null): string {
  if (ms === null) return '-'
  return formatMilliseconds(ms < 60_000 ? Math.round(ms / 100) * 100 : Math.round(ms / 60_000) * 60_000)
}

function ratesOf({ rates }: Replica): number {
  return Object.values(rates).reduce((sum, rate) => sum + rate, 0)
}

function leftOf({ run, rows, rate }: RunningMigration): number {
  if (run.state !== 'running' || run.estimate === null || rate === null || rate === 0) return Infinity
  return (Math.max(0, run.estimate - rows) / rate) * 1_000
}

const BAR = 10

function bar(share: number): string {
  const filled = Math.max(0, Math.min(BAR, Math.round((Number.isFinite(share) ? share : 0) * BAR)))
  return '█'.repeat(filled) + '░'.repeat(BAR - filled)
}

/** `ctx.progress` stores done and total; other workers what they like. */
function progressOf(progress: unknown): string {
  if (typeof progress === 'number') return `${progress}%`
  if (typeof progress !== 'object' || progress === null) return ''
  const { done, total, note } = progress as { done?: unknown; total?: unknown; note?: unknown }
  if (typeof done !== 'number') return ''
  const share =
    typeof total === 'number' && total > 0
      ? `${bar(done / total)} ${short(done)}/${short(total)}`
      : short(done)
  return typeof note === 'string' ? `${share} ${note.slice(0, 20)}` : share
}
