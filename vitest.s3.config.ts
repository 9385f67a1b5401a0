/** `npm run test:s3`: the store of buckets against a real Ceph. Apart from `npm test`, since its programs are 60 MB. */
import { defineConfig } from 'vitest/config'

const SOURCE = '@bullmq-runner/source'

export default defineConfig({
  resolve: { conditions: [SOURCE] },
  ssr: { resolve: { conditions: [SOURCE, 'node'] } },
  test: {
    name: 's3',
    include: ['test/s3/**/*.test.ts'],
    globalSetup: 'test/s3/start-ceph.ts',
    pool: 'forks',
    execArgv: [`--conditions=${SOURCE}`],
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
})
