/** `runner init [dir]`: the first job, the first script and the config file of a project. */
import { existsSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { shortPath } from '../job/file-path.ts'
import { addHelp } from './help.ts'
import { missingDependencies, moduleExtension } from './nearest-package.ts'
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
  const folder = relative(process.cwd(), dir)
  if (folder !== '') steps.push(`Go there:                       cd ${folder}`)
  const missing = missingDependencies(dir, ['bullmq-runner', 'zod'])
  if (missing.length > 0) steps.push(`Install what the job imports:   npm install ${missing.join(' ')}`)
  // The scripts of a package further up would run in its folder.
  if (folder === '' || existsSync(join(dir, 'package.json')))
    steps.push('In package.json:                "scripts": { "work": "runner work" }')
  return [
    ...steps,
    'Run a worker:                   npx runner work',
    'In another terminal:            npx runner enqueue hello --name Ada --wait',
  ]
}
