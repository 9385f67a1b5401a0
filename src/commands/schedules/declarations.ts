/** The schedules of a project: its job files are loaded, and everything they say about schedules is checked. */
import type { Config } from '../../config.ts'
import { RunnerError } from '../../errors.ts'
import { openLoader, type Loader } from '../../job/loader.ts'
import type { BrokenFile, Manifest } from '../../job/manifest.ts'
import {
  argsFaults,
  declaredSchedules,
  type Declarations,
  type DeclarationFault,
  type Declared,
} from '../../schedule/declared.ts'
import { jobFiles, placeHint } from '../../enqueue/job-files.ts'

/**
 * Throws when anything of it is wrong. What does not load would look as if nobody declared it: JOBS_BROKEN. Nor does a
 * folder without a job file say that there is no schedule, more likely it is the wrong folder: CONFIG_INVALID.
 */
export async function readDeclarations(config: Config): Promise<Declared[]> {
  const found = jobFiles(config)
  if (found.files.length + found.broken.length === 0) {
    throw new RunnerError('CONFIG_INVALID', `no job file in ${config.jobs.join(' or ')}`, {
      hint: placeHint(config) ?? 'run it in the folder of the project; runner init makes a first job',
    })
  }
  const loader = await openLoader(found.files, { redact: config.redact })
  try {
    const { jobs } = loader.manifest
    const broken = [...found.broken, ...loader.manifest.broken]
    refuseBroken(broken)
    const { declared, faults } = await examine(config, { jobs, broken }, loader)
    refuseFaults(faults)
    return declared
  } finally {
    await loader.close()
  }
}

/** All that can be wrong, args included. */
export async function examine(config: Config, manifest: Manifest, loader: Loader): Promise<Declarations> {
  const { declared, faults } = declaredSchedules(config, manifest)
  return { declared, faults: [...faults, ...(await argsFaults(declared, loader, config.redact))] }
}

function refuseBroken(broken: readonly BrokenFile[]): void {
  if (broken.length === 0) return
  const list = broken.map(({ code, message }) => `  ${code} ${message}`)
  throw new RunnerError('JOBS_BROKEN', `${broken.length} job file(s) cannot be loaded:\n${list.join('\n')}`, {
    hint: 'mend them first: nobody can tell which schedules they declare',
    details: broken,
  })
}

export function refuseFaults(faults: readonly DeclarationFault[]): void {
  const [first] = faults
  if (first === undefined) return
  throw new RunnerError(first.code, faults.map(({ message }) => message).join('\n'), {
    details: faults,
    ...(first.hint === undefined ? {} : { hint: first.hint }),
  })
}
