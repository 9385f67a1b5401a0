/**
 * `node src/redis/ensure.ts`: makes sure that a Redis server program is on this machine; `npm test`, `demo`
 * and `bench` run it first. Found: silent, exit 0. Missing: installed if we are root (or the package manager
 * needs no root), otherwise one line with the command to run and exit 1.
 * It installs a program, not a service: nothing is running afterwards that was not running before.
 */
import { spawnSync } from 'node:child_process'
import { findServerBinary, installCommand, typedCommand } from './server-binary.ts'

process.exitCode = ensure()

function ensure(): number {
  if (findServerBinary() !== undefined) return 0
  const install = installCommand()
  const elsewhere = 'or use a server elsewhere with REDIS_URL'
  if (install === undefined) {
    console.error(
      `redis: no redis-server or valkey-server found; install one and put it on PATH, ${elsewhere}`,
    )
    return 1
  }
  if (install.needsRoot && process.getuid?.() !== 0) {
    console.error(
      `redis: no redis-server or valkey-server found; run \`${typedCommand(install)}\`, ${elsewhere}`,
    )
    return 1
  }
  console.error(`redis: no redis-server or valkey-server found, installing: ${install.command}`)
  if (install.refresh !== undefined) shell(install.refresh)
  const failure = shell(install.command)
  const binary = findServerBinary()
  if (binary === undefined) {
    console.error(`redis: the installation failed${failure === '' ? '' : `: ${failure}`}`)
    return 1
  }
  console.error(`redis: installed ${binary.path}`)
  return 0
}

/** Runs quietly; returns '' or the last line that was said. RUNLEVEL=1: Debian's maintainer scripts start no service. */
function shell(command: string): string {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const { status, stdout, stderr, error } = spawnSync('sh', ['-c', command], { env, encoding: 'utf8' })
  if (error !== undefined) return error.message
  if (status === 0) return ''
  return `${stdout}\n${stderr}`.trim().split('\n').at(-1) ?? `exit code ${status}`
}
