/** `runner new job|script|migration NAME`: one file that loads and runs as it is. */
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Command, Argument } from 'commander'
import { RunnerError } from '../errors.ts'
import { nameFault } from '../job/discover.ts'
import { shortPath } from '../job/file-path.ts'
import { addHelp } from './help.ts'
import { jobFiles } from '../enqueue/job-files.ts'
import { moduleExtension } from './nearest-package.ts'
import { jobTemplate, migrationTemplate, scriptTemplate } from './templates.ts'
import type { CliContext } from './verbs.ts'
import { fileExists, writeNew } from './write-new.ts'

const TEMPLATES = { job: jobTemplate, script: scriptTemplate, migration: migrationTemplate }

type Kind = keyof typeof TEMPLATES

export function define(command: Command, context: CliContext): void {
  command
    .addArgument(
      new Argument('<kind>', 'job, script for one-off work, or migration for work on many rows').choices(
        Object.keys(TEMPLATES),
      ),
    )
    .argument('<name>', 'name of the job, folders separated by /')
    .action((kind: Kind, name: string) => create(kind, name, context))
  addHelp(
    command,
    [['runner new job emails/send'], ['runner new script reindex'], ['runner new migration migrate-users']],
    ['ok', 'runtime', 'usage'],
  )
}

async function create(kind: Kind, name: string, context: CliContext): Promise<void> {
  checkName(name)
  const config = await context.config()
  const folder = folderOf(kind, config.jobs)
  const taken = existing(config, name)
  if (taken !== undefined) throw fileExists([taken])
  const file = join(folder, `${name}${moduleExtension(config.cwd)}`)
  writeNew(config.cwd, { [file]: TEMPLATES[kind](name) })
  const made = shortPath(join(config.cwd, file))
  context.print(`made ${made}\nEnqueue it: npx runner enqueue ${name}`, { name, file: made })
}

/** Of the folders in use, the one named after the kind, or the first. Migrations are scripts. */
function folderOf(kind: Kind, folders: string[]): string {
  const named = kind === 'job' ? 'jobs' : 'scripts'
  return folders.find(folder => basename(folder) === named) ?? folders[0] ?? named
}

/** A file that gives the name already, in any folder and with any extension. */
function existing(config: Parameters<typeof jobFiles>[0], name: string): string | undefined {
  const present = config.jobs.filter(folder => existsSync(join(config.cwd, folder)))
  const { files, broken } = jobFiles({ ...config, jobs: present })
  return [...files, ...broken].find(file => file.name === name)?.file
}

function checkName(name: string): void {
  const fault =
    nameFault(name) ??
    (name.split('/').some(part => part === '' || /^[._]/.test(part) || part === 'node_modules')
      ? 'no part of it may be empty, start with . or _, or be node_modules: such files are no jobs'
      : /\.[cm]?[jt]s$/.test(name)
        ? 'leave out the extension'
        : /\.(d|test|spec)$/.test(name)
          ? 'such files are no jobs'
          : undefined)
  if (fault === undefined) return
  throw new RunnerError('USAGE', `the name ${JSON.stringify(name)} cannot be used: ${fault}`)
}
