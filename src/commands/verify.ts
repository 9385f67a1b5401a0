/** `runner verify`: proves on the Redis that is configured that no fault loses a job or runs one twice at once. */
import { Option, type Command } from 'commander'
import { EXIT, RunnerError } from '../errors.ts'
import { closest } from '../suggestion.ts'
import { durationOption, formatMilliseconds } from '../units.ts'
import { FAULTS, type Fault } from '../verify/faults.ts'
import { reportOf, tableOf, type FaultReport } from '../verify/report.ts'
import type { Subject } from '../verify/replica.ts'
import { addHelp } from './help.ts'
import type { CliContext } from './verbs.ts'

interface Flags {
  fault: Fault[]
  jobs: number
  duration: number
  subject: Subject
}

export function define(command: Command, context: CliContext): void {
  command
    .addOption(
      new Option('--fault <kind>', 'only this one, may be repeated')
        .choices(FAULTS)
        .argParser((text: string, before: Fault[] | undefined) => [...(before ?? []), readFault(text)])
        .default([], 'all'),
    )
    .addOption(new Option('--jobs <n>', 'canary jobs of each fault').argParser(readJobs).default(60))
    .addOption(
      new Option('--duration <time>', 'inflict the faults again until so much time has passed')
        .argParser((text: string) => durationOption('--duration', text))
        .default(0, 'each once'),
    )
    .addOption(
      new Option('--subject <what>', 'what is verified: this runner, or a bare BullMQ worker')
        .choices(['runner', 'bullmq'])
        .default('runner'),
    )
    .action(async (flags: Flags) => verify(flags, context))
  addHelp(
    command,
    [
      ['runner verify', 'every fault once: under two minutes'],
      ['runner verify --fault freeze --fault cut --json'],
      ['runner verify --subject bullmq --fault block', 'what a bare worker does: exit 1'],
    ],
    ['ok', 'runtime', 'usage', 'redis', 'forced'],
  )
}

async function verify({ fault, jobs, duration, subject }: Flags, context: CliContext): Promise<void> {
  // Not for a shell that completes the flags.
  const { openRedis } = await import('../redis/connection.ts')
  const { LOCK_DURATION, Verification } = await import('../verify/verification.ts')
  const config = await context.config()
  const redis = await openRedis(config, { onMessage: context.note })
  const stop = new AbortController()
  const onSignal = () => stop.abort(new Stopped())
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const reports: FaultReport[] = []
  try {
    context.note(
      `verifying ${subject} on ${redis.location} (${redis.version}): 3 replicas, lock duration ${formatMilliseconds(LOCK_DURATION)}`,
    )
    const verification = new Verification({
      redis,
      subject,
      rounds: roundsOf(fault.length === 0 ? FAULTS : fault, duration),
      jobs,
      signal: stop.signal,
      onVerdict: ([kind = ''], verdict) => {
        const report = reportOf(kind, verdict)
        reports.push(report)
        context.note(`${kind}: ${report.violated ? 'VIOLATED' : 'ok'}`)
      },
    })
    await verification.run()
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    process.exitCode = EXIT.forced
    return
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
    await redis.close()
  }
  context.print(tableOf(reports), { subject, faults: reports })
  if (reports.some(({ violated }) => violated)) process.exitCode = EXIT.runtime
}

/** One fault after the other, again until so many milliseconds have passed; 0: each once. */
function* roundsOf(faults: readonly Fault[], duration: number): Iterable<readonly Fault[]> {
  const end = performance.now() + duration
  do {
    for (const fault of faults) yield [fault]
  } while (performance.now() < end)
}

class Stopped extends Error {}

function readFault(text: string): Fault {
  const known = FAULTS.find(fault => fault === text)
  if (known !== undefined) return known
  const near = closest(text, FAULTS)
  throw new RunnerError('USAGE', `--fault: there is no fault ${JSON.stringify(text)}`, {
    hint: near === undefined ? `one of ${FAULTS.join(', ')}` : `did you mean ${near}?`,
  })
}

function readJobs(text: string): number {
  const jobs = Number(text)
  if (/^\d+$/.test(text) && jobs >= 5 && jobs <= 10_000) return jobs
  throw new RunnerError('USAGE', `--jobs: expected 5 to 10000, got ${JSON.stringify(text)}`)
}
