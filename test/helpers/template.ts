/**
 * The empty data folder of a database server: made once, later ones are copies of it. To make one takes seconds of a
 * core, and twenty test files start a server each.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** `program`: of another version of it, another one is made. `make` makes the folder that it is given, which is not there. */
export function copyOfTemplate(to: string, program: string, make: (folder: string) => void): void {
  const { mtimeMs, ino } = statSync(program)
  const template = join(tmpdir(), `test-template-${userInfo().uid}-${ino}-${Math.round(mtimeMs)}`)
  if (!existsSync(template)) {
    const dir = mkdtempSync(join(tmpdir(), 'test-making-'))
    try {
      make(join(dir, 'data'))
      renameSync(join(dir, 'data'), template)
    } catch (error) {
      // Another test file was first.
      if (!existsSync(template)) throw error
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }
  execFileSync('cp', ['-a', '--reflink=auto', template, to])
}
