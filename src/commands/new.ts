/**
 * `runner new job|script|migration NAME`: one file that loads and runs as it is; `runner new token`: a token for the API of
 * `runner serve`.
 */
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Command, Argument } from 'commander'
import { RunnerError } from '../errors.ts'
import { nameFault } from '../job/discover.ts'
import { shortPath } from '../job/file-path.ts'
import { collect } from './collect.ts'
import { addHelp } from './help.ts'
import { jobFiles } from '../enqueue/job-files.ts'
import { moduleExtension } from './nearest-package.ts'
import { jobTemplate, migrationTemplate, scriptTemplate } from './templates.ts'
import type { CliContext } from './verbs.ts'
import { fileExists, writeNew } from './write-new.ts'

const TEMPLATES = { job: jobTemplate, script: scriptTemplate, migration: migrationTemplate }

type FileKind = keyof typeof TEMPLATES
type Kind = FileKind | 'token'

interface Flags {
  name?: string
  scope?: string[]
}

export function define(command: Command, context: CliContext): void {
  command
    .addArgument(
      new Argument(
        '<kind>',
        'job, script for one-off work, migration for work on many rows, or token for runner serve',
      ).choices([...Object.keys(TEMPLATES), 'token']),
    )
    .argument('[name]', 'name of the job, folders separated by /; or of the token')
    .option('--name <name>', 'of the token: for logs and the audit')
    .option('--scope <scope>', 'what the token may do, repeatable: enqueue, read, operate', collect)
    .action((kind: Kind, name: string | undefined, flags: Flags) => make(kind, name, flags, context))
  addHelp(
    command,
    [
      ['runner new job emails/send'],
      ['runner new script reindex'],
      ['runner new migration migrate-users'],
      [
        'runner new token --name shop --scope enqueue --scope read',
        'shown once; the config file has its hash',
      ],
    ],
    ['ok', 'runtime', 'usage'],
  )
}

async function make(kind: Kind, name: string | undefined, flags: Flags, context: CliContext): Promise<void> {
  if (kind === 'token') {
    const { createToken } = await import('./new-token.ts')
    return createToken(flags.name ?? name, flags.scope ?? [], context)
  }
  if (flags.name !== undefined || flags.scope !== undefined)
    throw new RunnerError('USAGE', '--name and --scope are of a token')
  if (name === undefined) throw new RunnerError('USAGE', `new ${kind} needs a name`)
  await create(kind, name, context)
}

async function create(kind: FileKind, name: string, context: CliContext): Promise<void> {
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
function folderOf(kind: FileKind, folders: string[]): string {
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
