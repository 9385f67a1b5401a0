import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findServerBinary } from '../../src/redis/server-binary.ts'

const PROGRAM = fileURLToPath(new URL('../../src/redis/ensure.ts', import.meta.url))
/** In a folder that is looked at whatever PATH says: a missing program cannot be played then. */
const always = findServerBinary('/nonexistent') !== undefined
const root = process.getuid?.() === 0

let path: string
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'test-ensure-'))
})
afterEach(() => rmSync(path, { recursive: true }))

/** An apt-get that writes down how it was called and installs what `installs` says. */
function fakeAptGet(installs: string): void {
  const file = join(path, 'apt-get')
  writeFileSync(
    file,
    `#!/bin/sh
echo "$* DEBIAN_FRONTEND=$DEBIAN_FRONTEND RUNLEVEL=$RUNLEVEL" >> ${path}/calls
[ "$1" = install ] || exit 1
${installs}
`,
  )
  chmodSync(file, 0o755)
  symlinkSync('/bin/sh', join(path, 'sh'))
}

function ensure(searchPath = path) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM], {
    env: { PATH: searchPath },
    encoding: 'utf8',
  })
  return { status, stdout, lines: stderr.split('\n').filter(line => line !== '') }
}

describe('ensure-redis', () => {
  it('says nothing when a server program is there', () => {
    expect(ensure(process.env['PATH'])).toEqual({ status: 0, stdout: '', lines: [] })
  })

  it.skipIf(always)('says what is missing where no package manager is known', () => {
    const { status, lines } = ensure()
    expect(status).toBe(1)
    expect(lines).toEqual([expect.stringContaining('no redis-server or valkey-server found')])
  })

  it.skipIf(always || !root)(
    'installs as root, lists first, without a service, one line before and after',
    () => {
      const server = join(path, 'redis-server')
      fakeAptGet(`echo > ${server}; /bin/chmod 755 ${server}`)
      const { status, lines } = ensure()
      expect(lines).toEqual([
        'redis: no redis-server or valkey-server found, installing: apt-get install -y --no-install-recommends redis-server',
        `redis: installed ${server}`,
      ])
      expect(status).toBe(0)
      expect(readFileSync(join(path, 'calls'), 'utf8').trim().split('\n')).toEqual([
        'update DEBIAN_FRONTEND=noninteractive RUNLEVEL=1',
        'install -y --no-install-recommends redis-server DEBIAN_FRONTEND=noninteractive RUNLEVEL=1',
      ])
    },
  )

  it.skipIf(always || !root)('says why an installation failed', () => {
    fakeAptGet('echo "E: Unable to locate package redis-server" >&2; exit 100')
    const { status, lines } = ensure()
    expect(status).toBe(1)
    expect(lines.at(-1)).toBe('redis: the installation failed: E: Unable to locate package redis-server')
  })

  it.skipIf(always || root)('tells others the command', () => {
    fakeAptGet('exit 1')
    const { status, lines } = ensure()
    expect(status).toBe(1)
    expect(lines).toEqual([expect.stringContaining('run `sudo apt-get update && sudo apt-get install -y')])
  })
})
