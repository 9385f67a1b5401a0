/** `runner doctor`: what is wrong with this Redis, its queues and those who work them: expected, actual, and the fix. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import type { Config } from '../config.ts'
import { readDocuments } from '../deploy/documents.ts'
import { examine } from '../doctor/examination.ts'
import type { Finding, Level } from '../doctor/finding.ts'
import type { GivenManifest } from '../doctor/manifest.ts'
import { EXIT, RunnerError, messageOf } from '../errors.ts'
import { inspectJobs } from '../job/loader.ts'
import type { JobFile } from '../job/manifest.ts'
import { openRedis } from '../redis/connection.ts'
import { textTable } from '../table.ts'
import { addHelp } from './help.ts'
import { jobFiles } from '../enqueue/job-files.ts'
import type { CliContext } from './verbs.ts'

const COLUMNS = ['', 'CHECK', 'QUEUE', 'EXPECTED', 'ACTUAL', 'FIX']

export function define(command: Command, context: CliContext): void {
  command
    .argument('[queue]', 'default: all queues')
    .option('--all', 'show what is well, too')
    .option('--manifest <file>', 'look at a manifest of Kubernetes, too; - is stdin')
    .action(async (queue: string | undefined, flags: DoctorFlags) => diagnose(queue, flags, context))
  addHelp(
    command,
    [
      ['runner doctor', 'Redis, clocks, prefixes, queues, handlers, schedulers, locks; it only reads'],
      ['runner doctor mail --all', 'one queue, and what is well of it'],
      ['runner doctor --json', 'in CI: exit 1 on an error, not on a warning'],
      ['runner doctor --manifest app.yaml', 'a manifest, held against Redis and what replicas measured'],
    ],
    ['ok', 'runtime', 'usage', 'redis'],
  )
}

interface DoctorFlags {
  all?: true
  manifest?: string
}

async function diagnose(
  queue: string | undefined,
  { all, manifest: file }: DoctorFlags,
  context: CliContext,
): Promise<void> {
  const config = await context.config()
  const { files } = jobFiles(config)
  const manifest = file === undefined ? undefined : await readManifest(file, files, config)
  await using redis = await openRedis(config, { onMessage: context.note })
  const findings = await examine({
    redis,
    config,
    files: await namesOf(files),
    only: queue,
    ...(manifest && { manifest }),
  })
  context.print(textOf(findings, all === true), findings)
  if (findings.some(({ level }) => level === 'error')) process.exitCode = EXIT.runtime
}

/** Of the handlers here. Only an application has to be loaded for that. */
async function namesOf(files: JobFile[]): Promise<string[]> {
  const applications = files.filter(({ kind }) => kind === 'application')
  const { jobs } = applications.length === 0 ? { jobs: [] } : await inspectJobs(applications)
  return [...files.filter(file => !applications.includes(file)), ...jobs].map(({ name }) => name)
}

/** With the queues of the job files here; what of them does not load is for `runner check` to say. */
async function readManifest(file: string, files: JobFile[], { schedules }: Config): Promise<GivenManifest> {
  const documents = readDocuments(await textOfFile(file), file === '-' ? 'stdin' : file)
  const { jobs } = await inspectJobs(files)
  const named = [...jobs, ...Object.values(schedules)].flatMap(({ queue }) => queue ?? [])
  return { documents, queues: [...new Set(named)].sort() }
}

async function textOfFile(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')
  } catch (error) {
    throw new RunnerError('MANIFEST_INVALID', `--manifest: ${messageOf(error)}`, { cause: error })
  }
}

function textOf(findings: readonly Finding[], all: boolean): string {
  const shown = all ? findings : findings.filter(({ level }) => level !== 'ok')
  const rows = shown.map(({ level, check, queue, expected, actual, fix }) => [
    level,
    check,
    queue ?? '',
    expected,
    actual,
    fix ?? '',
  ])
  return rows.length === 0 ? summary(findings) : `${textTable([COLUMNS, ...rows])}\n${summary(findings)}`
}

/** '12 checks, all well', or '12 checks: 1 error, 2 warnings, 1 not possible'. */
function summary(findings: readonly Finding[]): string {
  const of = (level: Level) => findings.filter(finding => finding.level === level).length
  const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
  const parts = [
    of('error') > 0 && plural(of('error'), 'error'),
    of('warning') > 0 && plural(of('warning'), 'warning'),
    of('unknown') > 0 && `${of('unknown')} not possible`,
  ].filter(part => part !== false)
  const checks = plural(findings.length, 'check')
  return parts.length === 0 ? `${checks}, all well` : `${checks}: ${parts.join(', ')}`
}
