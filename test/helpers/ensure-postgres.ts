/**
 * `node test/helpers/ensure-postgres.ts`, which `npm test` runs first: installs PostgreSQL where that is possible
 * without asking. Elsewhere the tests that need it are skipped, and say so. No service is started.
 */
import { spawnSync } from 'node:child_process'
import { postgresFolder } from './postgres-binary.ts'

const COMMAND = 'apt-get update; apt-get install -y --no-install-recommends postgresql'
const isDebian = () => spawnSync('apt-get', ['--version']).status === 0

if (postgresFolder() === undefined) {
  if (process.getuid?.() === 0 && isDebian()) {
    console.error(`postgresql: not found, installing: ${COMMAND}`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
    spawnSync('sh', ['-c', COMMAND], { env })
  }
  const folder = postgresFolder()
  console.error(
    folder === undefined
      ? 'postgresql: not found; its tests are skipped (sudo apt-get install postgresql)'
      : `postgresql: installed ${folder}`,
  )
}
