/** `runner check`: offline, for CI: which job files do not load, and what in them may hold their event loop. */
import type { Command } from 'commander'
import { checkFiles } from '../check/check.ts'
import { EXIT } from '../errors.ts'
import { shortPath } from '../job/file-path.ts'
import { openLoader } from '../job/loader.ts'
import { addHelp } from './help.ts'
import { jobFiles } from '../enqueue/job-files.ts'
import { examine } from './schedules/declarations.ts'
import type { CliContext } from './verbs.ts'

export function define(command: Command, context: CliContext): void {
  command
    .option('--strict', 'exit 1 when there is a warning')
    .action(async ({ strict }: { strict?: boolean }) => check(strict === true, context))
  addHelp(
    command,
    [
      ['runner check', 'what `work` would refuse, and sync calls and loops with their lines'],
      ['runner check --strict --json', 'in CI'],
    ],
    ['ok', 'runtime', 'usage'],
  )
}

async function check(strict: boolean, context: CliContext): Promise<void> {
  const config = await context.config()
  const found = jobFiles(config)
  const loader = await openLoader(found.files, { redact: config.redact })
  const { manifest } = loader
  const broken = [...found.broken, ...manifest.broken]
  const { declared, faults } = await examine(config, { ...manifest, broken }, loader)
  await loader.close()
  const bad = new Set(broken.map(({ file }) => file))
  const modules = found.files.filter(({ file, kind }) => kind === 'module' && !bad.has(file))
  const { files, findings, unreadable } = checkFiles(modules.map(({ file }) => file))
  const lines = [
    ...broken.map(({ code, message }) => `error: ${message} (${code})`),
    ...faults.map(({ code, message }) => `error: ${message} (${code})`),
    ...unreadable.map(({ file, message }) => `${shortPath(file)}  cannot be read: ${message}`),
    ...findings.map(
      ({ file, line, column, rule, message }) => `${shortPath(file)}:${line}:${column}  ${rule}  ${message}`,
    ),
    `${manifest.jobs.length} jobs load, ${broken.length} do not; ${findings.length} warnings in ${files.length} files`,
  ]
  context.print(lines.join('\n'), {
    jobs: manifest.jobs.map(({ name }) => name),
    broken,
    schedules: declared.map(({ id }) => id),
    scheduleFaults: faults,
    findings,
    unreadable,
  })
  if (broken.length + faults.length > 0) process.exitCode = EXIT.usage
  else if (strict && findings.length + unreadable.length > 0) process.exitCode = EXIT.runtime
}
