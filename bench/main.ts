/**
 * `npm run bench`: this fleet against a bare BullMQ worker and BullMQ's sandbox, in the same run, in turn, median of
 * five. Only ratios mean anything: the machine, its neighbours and the Redis beside it differ every time.
 * Then what faults cost (faults.ts). Writes its tables between the markers in README.md (`-- --no-readme` to leave it).
 *
 *   npm run bench -- --rounds 5 --only noop@10
 *   npm run bench -- --only faults
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { startRedis } from '../test/helpers/redis.ts'
import { faultTable } from './faults.ts'
import { measure, median, type Figures, type Kind, type Workload } from './measure.ts'
import { measureStart, type StartFigures } from './start.ts'
import { printTable, writeReadme, type Row } from './table.ts'

const WORKLOADS: Workload[] = [
  { title: 'no-op, concurrency 100', job: 'noop', concurrency: 100, jobs: 30_000, sandbox: 8_000 },
  { title: 'no-op, concurrency 10', job: 'noop', concurrency: 10, jobs: 20_000, sandbox: 8_000 },
  { title: 'no-op, concurrency 1', job: 'noop', concurrency: 1, jobs: 8_000, sandbox: 3_000 },
  { title: '5 ms of CPU, concurrency 10', job: 'spin', concurrency: 10, jobs: 800 },
]
const KINDS: Kind[] = ['bare', 'sandbox', 'fleet']

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    'no-readme': { type: 'boolean', default: false },
  },
})

const rounds = Number(values.rounds)
const chosen = WORKLOADS.filter(
  ({ job, concurrency }) => (values.only ?? `${job}@${concurrency}`) === `${job}@${concurrency}`,
)
await using redis = await startRedis()
const rows: Row[] = []
for (const workload of chosen) {
  const figures: Record<Kind, Figures[]> = { bare: [], sandbox: [], fleet: [] }
  for (let round = 0; round < rounds; round++) {
    for (const kind of KINDS) figures[kind].push(await measure(kind, workload, redis))
    process.stderr.write('.')
  }
  rows.push(rowOf(workload, figures))
  process.stderr.write(` ${workload.title}\n`)
}
const start: StartFigures[] = []
if (values.only === undefined) {
  for (let round = 0; round < rounds; round++) start.push(await measureStart(redis.url))
}
const processor = cpus()[0]?.model.trim() ?? 'unknown processor'
const machine = `${cpus().length} x ${processor}, Node ${process.version}`
if (chosen.length > 0) show('bench', printTable(rows, start, `${machine}, ${rounds} rounds`))
if (values.only === undefined || values.only === 'faults')
  show('bench-faults', await faultTable(redis, machine))

/** A table of less than everything does not get into the README. */
function show(name: string, table: string): void {
  console.log(`${table}\n`)
  const whole = values.only === undefined || values.only === 'faults'
  if (whole && !values['no-readme']) writeReadme(name, table)
}

/** The ratio is the median of the ratios of each round: both sides of a round had the same weather. */
function rowOf({ title }: Workload, figures: Record<Kind, Figures[]>): Row {
  const of = (kind: Kind, figure: keyof Figures) => median(figures[kind].map(each => each[figure]))
  const against = (kind: Kind) =>
    median(figures.fleet.map((each, round) => each.rate / (figures[kind][round] as Figures).rate))
  return {
    title,
    rate: { bare: of('bare', 'rate'), sandbox: of('sandbox', 'rate'), fleet: of('fleet', 'rate') },
    cpu: { bare: of('bare', 'cpu'), sandbox: of('sandbox', 'cpu'), fleet: of('fleet', 'cpu') },
    rss: { bare: of('bare', 'rss'), sandbox: of('sandbox', 'rss'), fleet: of('fleet', 'rss') },
    toBare: against('bare'),
    toSandbox: against('sandbox'),
  }
}
