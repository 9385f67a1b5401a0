/**
 * Three groups. Most files use one server and a few short processes each, so they share the cores. Fault tests kill and
 * block whole replicas: those that time them run alone, one file after the other; the others mostly wait, two at a time.
 */
import { defineConfig } from 'vitest/config'

const SOURCE = '@bullmq-runner/source'
const FAULTS = 'test/faults/**/*.test.ts'
const WAITING = ['block', 'migration', 'orphans', 'outage', 'soak', 'unknown-job', 'verify'].map(
  name => `test/faults/${name}.test.ts`,
)

export default defineConfig({
  // `import 'bullmq-runner'` finds src/, in tests and in the fixtures that Node imports by itself.
  resolve: { conditions: [SOURCE] },
  ssr: { resolve: { conditions: [SOURCE, 'node'] } },
  test: {
    pool: 'forks',
    execArgv: [`--conditions=${SOURCE}`],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['test/**/*.test.ts'],
          exclude: [FAULTS],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: [FAULTS],
          exclude: WAITING,
          maxWorkers: 1,
          testTimeout: 90_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'waiting faults',
          include: WAITING,
          maxWorkers: 2,
          testTimeout: 90_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
