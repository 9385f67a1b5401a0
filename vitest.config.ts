/**
 * Three groups. Most files use one server and a few short processes each, so they share the cores. Fault tests kill and
 * block whole replicas: those that time them run two at a time, a core for each; the others mostly wait, five at a time,
 * the longest of them first.
 */
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const SOURCE = '@bullmq-runner/source'
/** Need a server of npm run test:s3. */
const S3 = 'test/s3/**'
const FAULTS = 'test/faults/**/*.test.ts'
const WAITING = [
  'soak',
  'verify',
  'migration-outage',
  'migration',
  'crash',
  'outage',
  'lost-locks',
  'wedged',
  'sentinel',
  'cluster',
  'redis-faults',
  'still',
  'blackhole',
  'readonly',
  'blocked-probes',
  'unknown-job',
  'orphans',
].map(name => `test/faults/${name}.test.ts`)

/** In the order of the list: what takes two minutes must not begin when all others are over. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification) => WAITING.findIndex(name => moduleId.endsWith(name))
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => placeOf(a) - placeOf(b))
  }
}

export default defineConfig({
  // `import 'bullmq-runner'` finds src/, in tests and in the fixtures that Node imports by itself.
  resolve: { conditions: [SOURCE] },
  ssr: { resolve: { conditions: [SOURCE, 'node'] } },
  test: {
    pool: 'forks',
    globalSetup: 'test/helpers/no-core-dumps.ts',
    execArgv: [`--conditions=${SOURCE}`],
    sequence: { sequencer: LongestFirst },
    // These assert nothing: what has to be quick says so itself. A virtual machine that has to be given its memory, or shares
    // its cores, takes many times as long as others.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['test/**/*.test.ts'],
          exclude: [FAULTS, S3],
          // Packages are loaded once a worker; modules of this repository are each file's own all the same.
          isolate: false,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: [FAULTS],
          exclude: WAITING,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'waiting faults',
          include: WAITING,
          maxWorkers: 5,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
