/** `runner enqueue <job>`: the payload from flags and --data, checked by the job's schema, then added to its queue. */
import type { Command } from 'commander'
import { RunnerError } from '../errors.ts'
import { giveFileBack, ownFlags, showJobHelp } from './enqueue/job-help.ts'
import { addOptionsOf, type EnqueueFlags } from './enqueue/options.ts'
import { enqueueMany } from './enqueue/many.ts'
import { enqueueOne } from './enqueue/one.ts'
import { addHelp } from './help.ts'
import { anyJob, openJob, type JobTarget } from '../enqueue/job-target.ts'
import { parseFreeFlags, parseSchemaFlags } from './enqueue/payload-flags.ts'
import { withRunFlags } from './enqueue/run-flags.ts'
import { readPayload } from './enqueue/payload-input.ts'
import type { CliContext } from './verbs.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument('[job]', 'name of the job: its path under jobs/ or scripts/, without extension')
    .usage('<job> [--field value]... [options]')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action((job: string | undefined, flags: EnqueueFlags) => run(job, flags, command, context))
  addOptionsOf(command)
  addHelp(
    command,
    [
      ['runner enqueue send-email --to ada@example.com', 'flags come from the schema of the job'],
      ['runner enqueue send-email --help', 'shows them'],
      ['runner enqueue deploy --data \'{"id":7}\'', 'a field that is also a flag of ours'],
      ['runner enqueue resize --data - < images.ndjson', 'one job a line'],
      ['runner enqueue import-users --file users=./users.csv', 'a file, read by ctx.file(args.users)'],
      ['runner enqueue report --wait --timeout 10m', 'prints what the job returns'],
      ['runner enqueue --flow @report.json', 'a job with children, all of them or none'],
      ['runner enqueue migrate-users --follow', 'shows its progress and its log'],
    ],
    ['ok', 'runtime', 'usage', 'partial', 'redis', 'jobFailed', 'notFound', 'waitTimeout', 'forced'],
  )
}

async function run(
  job: string | undefined,
  flags: EnqueueFlags,
  command: Command,
  context: CliContext,
): Promise<void> {
  if (flags.help === true && (job === undefined || flags.flow !== undefined)) return command.outputHelp()
  if (flags.flow !== undefined) {
    const { enqueueFlow, refuseBesides } = await import('./enqueue/flow.ts')
    refuseBesides(command.args, flags)
    return enqueueFlow({ config: await context.config(), context, flags, given: flags.flow })
  }
  if (job === undefined || job.startsWith('-'))
    throw new RunnerError('USAGE', 'enqueue needs the name of a job', {
      hint: 'the name comes first: runner enqueue <job> --field value',
    })
  const config = await context.config()
  const target = flags.schema ? await openJob(config, job) : anyJob(job)
  try {
    if (target.entry?.files === undefined) giveFileBack(command, flags)
    if (flags.help === true) return showJobHelp(command, target.entry ?? { ...NOTHING, name: job })
    const assignments = payloadFlags(command, target)
    const input = flags.data === undefined ? { one: {} } : await readPayload(flags.data, config.redact)
    const request = { config, context, flags, target, assignments }
    const { entry } = target
    if (entry?.migration !== undefined) {
      const { migration } = entry
      const { enqueueMigration } = await import('./enqueue/migration.ts')
      await enqueueMigration(request, { ...entry, migration }, 'one' in input ? input.one : refuseMany())
    } else await ('one' in input ? enqueueOne(request, input.one) : enqueueMany(request, input.many))
  } finally {
    await target.close()
  }
}

function refuseMany(): never {
  throw new RunnerError('USAGE', 'a migration takes one payload, and --data holds many')
}

/** What `--no-schema` knows of a job. */
const NOTHING = { file: '', kind: 'function', queue: 'default' } as const

/** What was left over by the flags of the command itself. */
function payloadFlags(command: Command, { entry }: JobTarget) {
  const tokens = command.args.slice(1)
  if (entry?.kind === 'migration')
    return parseSchemaFlags(tokens, withRunFlags(entry.schema), ownFlags(command))
  if (entry?.schema === undefined) return parseFreeFlags(tokens)
  return parseSchemaFlags(tokens, entry.schema, ownFlags(command))
}
