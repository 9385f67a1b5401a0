/** The config file of a project: found, imported, and every key of it known, in its profiles too. Values are not looked at. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { RunnerError, messageOf } from './errors.ts'
import { OPTIONS, type OptionKey } from './options.ts'
import { didYouMean } from './suggestion.ts'

export type ConfigValues = Partial<Record<OptionKey, unknown>>

export interface LoadedFile {
  /** Absolute. Absent: there is none. */
  path?: string
  values: ConfigValues
  /** By name. */
  profiles: Record<string, ConfigValues>
}

const NAMES = ['ts', 'mts', 'js', 'mjs'].map(extension => `runner.config.${extension}`)

/** The file named by `file`, or `runner.config.{ts,mts,js,mjs}` of `cwd`; none is fine, a broken one is CONFIG_INVALID. */
export async function loadConfigFile(cwd: string, file: string | undefined): Promise<LoadedFile> {
  const path = (file === undefined ? NAMES : [file]).map(name => resolve(cwd, name)).find(existsSync)
  if (path === undefined) {
    if (file === undefined) return { values: {}, profiles: {} }
    throw new RunnerError('CONFIG_INVALID', `config file ${file} does not exist`)
  }
  const exported = objectAt(
    await importFile(path),
    path,
    'its default export',
    'export default defineConfig({ ... })',
  )
  const { profiles: inFile = {}, ...values } = exported
  refuseUnknown(values, path)
  const profiles = objectAt(inFile, path, 'profiles', PROFILES_FORM)
  for (const [name, profile] of Object.entries(profiles))
    refuseUnknown(objectAt(profile, path, `profile ${name}`, PROFILES_FORM), path, name)
  return { path, values, profiles: profiles as Record<string, ConfigValues> }
}

const PROFILES_FORM = 'profiles: { production: { concurrency: 50 } }'

async function importFile(path: string): Promise<unknown> {
  try {
    return ((await import(pathToFileURL(path).href)) as { default?: unknown }).default
  } catch (error) {
    throw new RunnerError('CONFIG_INVALID', `config file ${path} cannot be loaded: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function objectAt(value: unknown, path: string, what: string, hint: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new RunnerError('CONFIG_INVALID', `config file ${path}: ${what} is no object`, { hint })
}

function refuseUnknown(values: object, path: string, profile?: string): void {
  const unknown = Object.keys(values).find(key => !Object.hasOwn(OPTIONS, key))
  if (unknown === undefined) return
  const where = profile === undefined ? '' : ` in profile ${profile}`
  const known = [...Object.keys(OPTIONS), ...(profile === undefined ? ['profiles'] : [])]
  throw new RunnerError('CONFIG_INVALID', `config file ${path}: unknown key ${unknown}${where}`, {
    ...didYouMean(unknown, known),
    details: {
      option: unknown,
      from: profile === undefined ? 'file' : 'profile',
      ...(profile && { profile }),
    },
  })
}

/** The values of the profile that was asked for by `from`, a flag or a variable. Throws CONFIG_INVALID for an unknown one. */
export function profileOf({ path, profiles }: LoadedFile, name: string, from: string): ConfigValues {
  if (Object.hasOwn(profiles, name)) return profiles[name] ?? {}
  const known = Object.keys(profiles)
  const where = path === undefined ? 'there is no config file that could have' : `config file ${path} has no`
  throw new RunnerError('CONFIG_INVALID', `${from}: ${where} profile ${name}`, {
    ...(known.length > 0 && { hint: `it has ${known.join(', ')}` }),
    ...didYouMean(name, known),
    details: { option: 'profile', from, profile: name, known },
  })
}
