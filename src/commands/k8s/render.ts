/** `runner k8s render`: what the config file and the job files say, as objects of Kubernetes. Nothing is connected to. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Config } from '../../config.ts'
import { doubtsOf } from '../../deploy/doubts.ts'
import { HEADER, filesOf, layoutOf, yamlOf } from '../../deploy/files.ts'
import { objectsOf } from '../../deploy/objects.ts'
import { planOf, type Plan } from '../../deploy/plan.ts'
import { complaintsOf } from '../../deploy/policy.ts'
import { EXIT, RunnerError } from '../../errors.ts'
import { inspectJobs } from '../../job/loader.ts'
import type { JobEntry } from '../../job/manifest.ts'
import { addHelp } from '../help.ts'
import { jobFiles } from '../../enqueue/job-files.ts'
import type { CliContext } from '../verbs.ts'
import { fileExists } from '../write-new.ts'

interface RenderFlags {
  env?: string
  out?: string
  strict?: true
}

export function define(command: Command, context: CliContext): void {
  command
    .option('--env <name>', 'environment of k8s in the config file; with --out, default: all of them')
    .option('--out <dir>', 'write files for kustomize: of one environment, or of all as a base and overlays')
    .option('--strict', 'exit 1 when there is a warning')
    .action(async (flags: RenderFlags) => render(flags, context))
  addHelp(
    command,
    [
      ['runner k8s render --env prod | kubectl apply -f -'],
      ['runner k8s render --env prod --out deploy/prod', 'a file for each object, and kustomization.yaml'],
      ['runner k8s render --out deploy', 'all environments: deploy/base, deploy/overlays/<env>'],
    ],
    ['ok', 'runtime', 'usage'],
  )
}

async function render({ env, out, strict }: RenderFlags, context: CliContext): Promise<void> {
  const config = await context.config()
  const jobs = await loadJobs(config)
  const known = Object.keys(config.k8s)
  if (env === undefined && (out === undefined || known.length === 0)) {
    const hint = known.length === 0 ? 'the config file has no k8s' : `--env ${known.join(' or --env ')}`
    throw new RunnerError('USAGE', '--env: which environment?', { hint })
  }
  const doubts = new Set<string>()
  const notes = new Set<string>()
  const rendered = (env === undefined ? known : [env]).map(name => {
    const plan = planOf(config, name, jobs)
    const objects = objectsOf(plan)
    if (plan.networkPolicy) notes.add(portsNote(plan))
    const scheduled = Object.values(config.schedules).flatMap(({ queue }) => queue ?? [])
    for (const doubt of doubtsOf(plan, jobs, scheduled)) doubts.add(doubt)
    for (const { object, actual, fix } of complaintsOf(objects, config))
      doubts.add(`${object}: ${actual}; ${fix}`)
    return [name, objects] as const
  })
  for (const note of notes) context.note(`note: ${note}`)
  for (const doubt of doubts) context.note(`warning: ${doubt}`)
  const [[, objects] = ['', []]] = rendered
  if (out === undefined) context.print(yamlOf(objects).trimEnd(), objects)
  else write(out, env === undefined ? layoutOf(Object.fromEntries(rendered)) : filesOf(objects), context)
  if (strict === true && doubts.size > 0) process.exitCode = EXIT.runtime
}

/** None is fine: the config file may name all queues. */
async function loadJobs(config: Config): Promise<JobEntry[]> {
  const found = jobFiles(config)
  const manifest = await inspectJobs(found.files)
  const broken = [...found.broken, ...manifest.broken]
  if (broken.length === 0) return manifest.jobs
  const list = broken.map(({ code, message }) => `  ${code} ${message}`)
  throw new RunnerError('JOBS_BROKEN', `${broken.length} job file(s) cannot be loaded:\n${list.join('\n')}`, {
    hint: 'mend them first: replicas would refuse to start',
    details: broken,
  })
}

/** What is not reached is seen only in the cluster, so it is said here. */
function portsNote({ environment, redis: { ports } }: Plan): string {
  const many = ports.length === 1 ? 'port' : 'ports'
  return `${environment}: runner serve may connect to Redis at ${many} ${ports.join(', ')} only; others: redis: { ports: [6380] }`
}

/** Over files that it has made before; all or none. */
function write(out: string, files: Record<string, string>, context: CliContext): void {
  const dir = resolve(out)
  const foreign = Object.keys(files)
    .map(file => join(dir, file))
    .filter(path => existsSync(path) && !readFileSync(path, 'utf8').startsWith(HEADER))
  if (foreign.length > 0) throw fileExists(foreign)
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, file)), { recursive: true })
    writeFileSync(join(dir, file), text)
  }
  const written = Object.keys(files)
  context.print(written.map(file => `wrote ${join(out, file)}`).join('\n'), { dir, written })
}
