import { expect, it } from 'vitest'
import { runExecutable } from '../../../src/fleet/inside/executable.ts'
import type { JobContext } from '../../../src/job/context.ts'
import { project } from '../../helpers/project.ts'

it('ends with the script, also when a daemon that it started holds its stdout open', async () => {
  using dir = project({
    'daemon.sh': `#!/bin/sh
cd "$(dirname "$0")"
setsid sh -c 'touch up; exec sleep 60' &
echo $!
until [ -e up ]; do :; done
echo last
`,
  })
  const rows: string[] = []
  const log = async (row: string) => void rows.push(row)
  const { signal } = new AbortController()
  const ctx = {
    name: 'daemon',
    id: '1',
    key: 'q:1',
    fence: 1,
    args: {},
    signal,
    log,
  } as unknown as JobContext
  await runExecutable(dir.path('daemon.sh'), ctx)
  const pid = Number(rows[0])
  // Throws when the daemon is gone: then there was nothing to let go of.
  expect(process.kill(pid, 'SIGKILL')).toBe(true)
  expect(rows.slice(1)).toEqual(['last'])
})
