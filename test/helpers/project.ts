/** A user's project in a temporary folder, with this package and zod installed by link. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

export interface Project extends Disposable {
  /** Real path. */
  dir: string
  path(file: string): string
  write(files: Record<string, string>): void
}

/** `files`: path -> text; what starts with `#!` is made executable. */
export function project(files: Record<string, string> = {}): Project {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'runner-project-')))
  mkdirSync(join(dir, 'node_modules'))
  symlinkSync(REPOSITORY, join(dir, 'node_modules/bullmq-runner'))
  symlinkSync(join(REPOSITORY, 'node_modules/zod'), join(dir, 'node_modules/zod'))
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  const path = (file: string) => join(dir, file)
  const write = (more: Record<string, string>) => {
    for (const [file, text] of Object.entries(more)) {
      mkdirSync(dirname(path(file)), { recursive: true })
      writeFileSync(path(file), text)
      if (text.startsWith('#!')) chmodSync(path(file), 0o755)
    }
  }
  write(files)
  return { dir, path, write, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
}
