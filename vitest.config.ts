/**
 * Two groups. Most files use one server and a few short processes each, so they share the cores; a fault test kills
 * and blocks whole replicas and times them, so those run alone, one file after the other, after the rest.
 */
import { defineConfig } from 'vitest/config'

const SOURCE = '@bullmq-runner/source'
const FAULTS = 'test/faults/**/*.test.ts'

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
          maxWorkers: 1,
          testTimeout: 90_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
