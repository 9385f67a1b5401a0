/** `runner init [dir]`: the first job, the first script and the config file of a project. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { shortPath } from '../job/file-path.ts'
import { addHelp } from './help.ts'
import { moduleExtension } from './module-extension.ts'
import { CONFIG, HELLO_JOB, HELLO_SCRIPT } from './templates.ts'
import type { CliContext } from './verbs.ts'
import { appendLine, writeNew } from './write-new.ts'

export function define(command: Command, context: CliContext): void {
  command.argument('[dir]', 'folder of the project', '.').action((dir: string) => init(resolve(dir), context))
  addHelp(command, [['runner init'], ['runner init services/mailer']], ['ok', 'runtime', 'usage'])
}

function init(dir: string, context: CliContext): void {
  const extension = moduleExtension(dir)
  const files = writeNew(dir, {
    [`jobs/hello${extension}`]: HELLO_JOB,
    'scripts/hello-shell.sh': HELLO_SCRIPT,
    [`runner.config${extension}`]: CONFIG,
  })
  const ignored = appendLine(join(dir, '.gitignore'), '.runner/')
  const made = [...files, ...(ignored ? ['.gitignore'] : [])]
  const lines = made.map(file => `made ${shortPath(join(dir, file))}`)
  context.print([...lines, '', ...nextSteps(dir)].join('\n'), { dir, made })
}

function nextSteps(dir: string): string[] {
  const steps: string[] = []
  const missing = ['bullmq-runner', 'zod'].filter(name => !isDependency(dir, name))
  if (missing.length > 0) steps.push(`Install what the job imports:   npm install ${missing.join(' ')}`)
  return [
    ...steps,
    'In package.json:                "scripts": { "work": "runner work" }',
    'Run a worker:                   npx runner work',
    'In another terminal:            npx runner enqueue hello --name Ada --wait',
  ]
}

function isDependency(dir: string, name: string): boolean {
  const file = join(dir, 'package.json')
  return existsSync(file) && readFileSync(file, 'utf8').includes(`"${name}"`)
}
