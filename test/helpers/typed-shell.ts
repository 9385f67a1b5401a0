/** A shell on a pseudo-terminal, to which keys are typed: TAB completes there as it does for a person. */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { BINARY, cleanEnv } from './runner.ts'

export const hasShell = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0

/** All that was shown while `keys` were typed, with `runner` on PATH; `\t` completes, `\n` runs. */
export async function typeInto(shell: string[], keys: string, cwd: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'typed-shell-'))
  const program = join(folder, 'runner')
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${BINARY}' "$@"\n`)
  chmodSync(program, 0o755)
  const path = [folder, dirname(process.execPath), process.env['PATH']].join(delimiter)
  const child = spawn('script', ['-qec', shell.join(' '), '/dev/null'], {
    cwd,
    env: { ...cleanEnv(), PATH: path, TERM: 'xterm', HOME: folder },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(keys)
  try {
    return await text(child.stdout)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
