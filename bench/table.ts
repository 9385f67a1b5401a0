/** The figures as the table of the README. */
import { readFileSync, writeFileSync } from 'node:fs'
import { median, type Kind } from './measure.ts'
import type { StartFigures } from './start.ts'

export interface Row {
  title: string
  rate: Record<Kind, number>
  cpu: Record<Kind, number>
  rss: Record<Kind, number>
  toBare: number
  toSandbox: number
}

export function printTable(rows: Row[], start: StartFigures[], machine: string): string {
  const lines = [
    '| jobs/s (median) | bare worker | sandbox (threads) | this fleet | fleet / bare | fleet / sandbox |',
    '|---|--:|--:|--:|--:|--:|',
    ...rows.map(
      ({ title, rate, toBare, toSandbox }) =>
        `| ${title} | ${whole(rate.bare)} | ${whole(rate.sandbox)} | ${whole(rate.fleet)} | **${ratio(toBare)}** | ${ratio(toSandbox)} |`,
    ),
    '',
    '| cost | bare worker | sandbox (threads) | this fleet |',
    '|---|--:|--:|--:|',
    ...rows.map(({ title, cpu }) => `| CPU µs per job: ${title} | ${kinds(cpu, whole)} |`),
    ...rows.map(({ title, rss }) => `| peak memory: ${title} | ${kinds(rss, mebibytes)} |`),
  ]
  if (start.length > 0) {
    const bare = median(start.map(each => each.bare))
    const fleet = median(start.map(each => each.fleet))
    lines.push(`| start and stop on an empty queue | ${seconds(bare)} | | ${seconds(fleet)} |`)
  }
  return [
    ...lines,
    '',
    `Measured by \`npm run bench\` on ${machine}; figures are medians, ratios medians of each round's ratio.`,
  ].join('\n')
}

/** Between the markers of this name. */
export function writeReadme(name: string, table: string): void {
  const [beginning, ending] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const file = new URL('../README.md', import.meta.url)
  const text = readFileSync(file, 'utf8')
  const begin = text.indexOf(beginning)
  const end = text.indexOf(ending)
  if (begin === -1 || end < begin) throw new Error(`README.md has no ${beginning} ... ${ending}`)
  writeFileSync(file, `${text.slice(0, begin + beginning.length)}\n${table}\n${text.slice(end)}`)
}

const kinds = (figures: Record<Kind, number>, print: (value: number) => string) =>
  [figures.bare, figures.sandbox, figures.fleet].map(print).join(' | ')
const whole = (value: number) => Math.round(value).toLocaleString('en')
const ratio = (value: number) => `${value.toFixed(2)}x`
const mebibytes = (value: number) => `${Math.round(value / 1024 ** 2)} MiB`
const seconds = (value: number) => `${value.toFixed(2)} s`
