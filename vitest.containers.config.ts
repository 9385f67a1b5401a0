/** `npm run test:containers`: the image as it is built and run. Apart from `npm test`, since it needs a container engine. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'containers',
    include: ['test/containers/**/*.test.ts'],
    globalSetup: 'test/containers/build-image.ts',
    // What would end containers of a test run that was killed is an image of its own, which is not everywhere.
    env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 240_000,
    hookTimeout: 60_000,
  },
})
