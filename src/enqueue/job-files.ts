/** The job files of a project, and the one that a person named. */
import { realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Config } from '../config.ts'
import { RunnerError } from '../errors.ts'
import { discover, type Discovery } from '../job/discover.ts'
import { shortPath } from '../job/file-path.ts'
import type { JobFile } from '../job/manifest.ts'
import { closest } from '../suggestion.ts'
import { OPTIONS } from '../options.ts'

/** How many known names an error lists. */
const LISTED = 20

/**
 * Discovers the folders of `config.jobs`, and the application of `config.nest` behind them. A default folder need not
 * exist; one that somebody named must, and the application too, or CONFIG_INVALID is thrown.
 */
export function jobFiles(config: Config): Discovery {
  const found = discover(config.jobs, config.cwd)
  const discovery = { ...found, files: [...found.files, ...applicationOf(config)] }
  const optional = [OPTIONS.jobs.default ?? []].flat()
  const missing = discovery.missing.filter(root => !optional.includes(root))
  if (missing.length === 0) return discovery
  throw new RunnerError('CONFIG_INVALID', `--jobs: no folder ${missing.join(', ')} in ${config.cwd}`)
}

/** None, or one. What its handlers are named is not known before it is loaded. */
function applicationOf({ nest, cwd }: Config): JobFile[] {
  if (nest === undefined) return []
  const path = resolve(cwd, nest)
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw new RunnerError('CONFIG_INVALID', `--nest: no file ${nest} in ${cwd}`, {
      hint: 'compile the application first: nest build, or tsc',
    })
  return [{ name: shortPath(path, cwd), file: realpathSync(path), kind: 'application' }]
}

/**
 * The file of the handler `name`: a job file, or else the application, by the name of the handler that it may have.
 * Throws as `findJob` where there is none.
 */
export function findHandler(config: Config, name: string): JobFile {
  const application = jobFiles(config).files.find(({ kind }) => kind === 'application')
  try {
    return findJob(config, name)
  } catch (error) {
    if (application === undefined || !(error instanceof RunnerError) || error.code !== 'JOB_UNKNOWN')
      throw error
    return { ...application, name }
  }
}

/** The file of job `name`. Throws why it is broken, or JOB_UNKNOWN with the nearest name and the known ones. */
export function findJob(config: Config, name: string): JobFile {
  return findIn(jobFiles(config), config, name)
}

/** The same, among files that were discovered before. */
export function findIn({ files: all, broken, missing }: Discovery, config: Config, name: string): JobFile {
  const files = all.filter(({ kind }) => kind !== 'application')
  const file = files.find(candidate => candidate.name === name)
  if (file !== undefined) return file
  const fault = broken.find(candidate => candidate.name === name)
  if (fault !== undefined) {
    const { code, message, hint } = fault
    throw new RunnerError(code, message, hint === undefined ? {} : { hint })
  }
  const known = files.map(candidate => candidate.name)
  const nothing = missing.length === config.jobs.length
  throw unknownJob(
    name,
    known,
    nothing
      ? (placeHint(config) ??
          `there is no folder ${config.jobs.join(' or ')} in ${config.cwd}: runner init makes one`)
      : undefined,
  )
}

/** JOB_UNKNOWN with the nearest of the known names. */
export function unknownJob(name: string, known: string[], hint = hintFor(name, known)): RunnerError {
  return new RunnerError('JOB_UNKNOWN', `no job is named ${JSON.stringify(name)}`, {
    hint,
    details: { name, known, suggestion: nearest(name, known) ?? null },
  })
}

/** In a folder of a project, its job files are further up. */
export function placeHint({ cwd, jobs }: Config): string | undefined {
  for (let at = dirname(cwd); ; at = dirname(at)) {
    const found = jobs.find(folder => statSync(join(at, folder), { throwIfNoEntry: false })?.isDirectory())
    if (found !== undefined) return `the folder ${found} is in ${at}: run it there`
    if (dirname(at) === at) return undefined
  }
}

function hintFor(name: string, known: string[]): string {
  if (known.length === 0) return 'no job was found at all; runner new job NAME makes one'
  const suggestion = nearest(name, known)
  const more = known.length > LISTED ? ` and ${known.length - LISTED} more` : ''
  const list = `known jobs: ${known.slice(0, LISTED).join(', ')}${more}`
  return suggestion === undefined ? list : `did you mean ${suggestion}? ${list}`
}

/** A near name, or the one job whose last part is, or is near, `name`: 'send' for 'emails/send'. */
function nearest(name: string, known: string[]): string | undefined {
  const whole = closest(name, known)
  if (whole !== undefined) return whole
  const part = closest(
    name,
    known.map(candidate => candidate.slice(candidate.lastIndexOf('/') + 1)),
  )
  return known.find(candidate => candidate.endsWith(`/${part}`))
}
