/** The job files of a project, and the one that a person named. */
import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Config } from '../config.ts'
import { RunnerError } from '../errors.ts'
import { discover, type Discovery } from '../job/discover.ts'
import type { JobFile } from '../job/manifest.ts'
import { closest } from '../suggestion.ts'
import { OPTIONS } from '../options.ts'

/** How many known names an error lists. */
const LISTED = 20

/**
 * Discovers the folders of `config.jobs`. A default folder need not exist; one that somebody named must, or
 * CONFIG_INVALID is thrown.
 */
export function jobFiles(config: Config): Discovery {
  const discovery = discover(config.jobs, config.cwd)
  const optional = [OPTIONS.jobs.default ?? []].flat()
  const missing = discovery.missing.filter(root => !optional.includes(root))
  if (missing.length === 0) return discovery
  throw new RunnerError('CONFIG_INVALID', `--jobs: no folder ${missing.join(', ')} in ${config.cwd}`)
}

/** The file of job `name`. Throws why it is broken, or JOB_UNKNOWN with the nearest name and the known ones. */
export function findJob(config: Config, name: string): JobFile {
  return findIn(jobFiles(config), config, name)
}

/** The same, among files that were discovered before. */
export function findIn({ files, broken, missing }: Discovery, config: Config, name: string): JobFile {
  const file = files.find(candidate => candidate.name === name)
  if (file !== undefined) return file
  const fault = broken.find(candidate => candidate.name === name)
  if (fault !== undefined) {
    const { code, message, hint } = fault
    throw new RunnerError(code, message, hint === undefined ? {} : { hint })
  }
  const known = files.map(candidate => candidate.name)
  const nothing = missing.length === config.jobs.length
  throw new RunnerError('JOB_UNKNOWN', `no job is named ${JSON.stringify(name)}`, {
    hint: nothing
      ? (placeHint(config) ??
        `there is no folder ${config.jobs.join(' or ')} in ${config.cwd}: runner init makes one`)
      : hintFor(name, known),
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
