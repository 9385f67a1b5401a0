/** The package.json that Node and npm go by in a folder: the first one from there upward. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { RunnerError, messageOf } from '../errors.ts'
import { shortPath } from '../job/file-path.ts'

interface Package {
  name?: string
  type?: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

function nearestPackage(dir: string): Package {
  for (let at = dir; ; at = dirname(at)) {
    const file = join(at, 'package.json')
    if (existsSync(file)) return read(file)
    if (dirname(at) === at) return {}
  }
}

function read(file: string): Package {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Package
  } catch (error) {
    throw new RunnerError('USAGE', `${shortPath(file)} cannot be read: ${messageOf(error)}`)
  }
}

/** '.ts' where package.json says that such a file is an ES module, else '.mts', which is one anywhere. */
export const moduleExtension = (dir: string): '.ts' | '.mts' =>
  nearestPackage(dir).type === 'module' ? '.ts' : '.mts'

/** undefined: there is no package.json, or it has no name. */
export const packageName = (dir: string): string | undefined => nearestPackage(dir).name

/** Those of `names` that the project neither depends on nor is. */
export function missingDependencies(dir: string, names: readonly string[]): string[] {
  const { name, dependencies, devDependencies } = nearestPackage(dir)
  const present = { ...dependencies, ...devDependencies }
  return names.filter(one => one !== name && !Object.hasOwn(present, one))
}
