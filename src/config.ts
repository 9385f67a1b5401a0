/**
 * The settings of one run. Precedence: flag > environment > `runner.config.ts` > default.
 * Resolved once at start, then frozen and handed on: nothing else reads the environment.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { z } from 'zod'
import { RunnerError, messageOf } from './errors.ts'
import { didYouMean } from './suggestion.ts'
import { OPTIONS, type Option, type OptionKey, type Settings } from './options.ts'

/** What `runner.config.ts` may export by default. */
export type ConfigFile = { [K in OptionKey]?: z.input<(typeof OPTIONS)[K]['schema']> }

export interface Config extends Readonly<Settings> {
  /** Folder that relative paths, `.runner/` and the config file belong to. */
  readonly cwd: string
  /** What `redis` was given by, as messages name it: '--redis', 'REDIS_URL', 'redis in the config file'. */
  readonly redisFrom: string
}

/** For `runner.config.ts`: types only. */
export const defineConfig = (config: ConfigFile): ConfigFile => config

/** Loads the config file named by `file`, or `runner.config.{ts,mts,js,mjs}` of `cwd`; none is fine, a broken one is not. */
async function loadFile(cwd: string, file: string | undefined): Promise<Partial<Record<OptionKey, unknown>>> {
  const candidates =
    file === undefined ? ['ts', 'mts', 'js', 'mjs'].map(ext => `runner.config.${ext}`) : [file]
  const path = candidates.map(name => resolve(cwd, name)).find(existsSync)
  if (path === undefined) {
    if (file === undefined) return {}
    throw new RunnerError('CONFIG_INVALID', `config file ${file} does not exist`)
  }
  let exported: unknown
  try {
    exported = ((await import(pathToFileURL(path).href)) as { default?: unknown }).default
  } catch (error) {
    throw new RunnerError('CONFIG_INVALID', `config file ${path} cannot be loaded: ${messageOf(error)}`, {
      cause: error,
    })
  }
  if (typeof exported !== 'object' || exported === null)
    throw new RunnerError('CONFIG_INVALID', `config file ${path}: its default export is no object`, {
      hint: 'export default defineConfig({ ... })',
    })
  const unknown = Object.keys(exported).find(key => !Object.hasOwn(OPTIONS, key))
  if (unknown !== undefined)
    throw new RunnerError('CONFIG_INVALID', `config file ${path}: unknown key ${unknown}`, {
      ...didYouMean(unknown, Object.keys(OPTIONS)),
      details: { option: unknown, from: 'file' },
    })
  return exported
}

export interface ConfigSources {
  cwd: string
  env: Record<string, string | undefined>
  flags: Partial<Record<OptionKey, unknown>>
  /** --config. */
  file?: string
}

/** Reads all sources, checks each value, and says which option of which source is wrong. */
export async function resolveConfig({ cwd, env, flags, file }: ConfigSources): Promise<Config> {
  const fromFile = await loadFile(cwd, file)
  const settings: Record<string, unknown> = {}
  let redisFrom = 'redis'
  for (const [key, option] of Object.entries(OPTIONS) as [OptionKey, Option][]) {
    const variable = option.env.find(name => env[name] !== undefined && env[name] !== '')
    const [from, name, value] =
      flags[key] !== undefined
        ? (['flag', option.flag?.split(' ')[0], flags[key]] as const)
        : variable !== undefined
          ? (['env', variable, env[variable]] as const)
          : fromFile[key] !== undefined
            ? (['file', `${key} in the config file`, fromFile[key]] as const)
            : (['default', key, option.default] as const)
    if (key === 'redis') redisFrom = name ?? key
    if (value === undefined) continue
    const parsed = option.schema.safeParse(value)
    if (!parsed.success) {
      const reason = parsed.error.issues
        .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
        .join('; ')
      // Of what is deep in a value, the place says enough; beside it there may be what is not to be shown.
      const isDeep = parsed.error.issues.some(({ path }) => path.length > 0)
      const shown =
        key === 'redis' || isDeep || reason.includes(', got ') ? '' : ` (got ${JSON.stringify(value)})`
      throw new RunnerError('CONFIG_INVALID', `${name}: ${reason}${shown}`, {
        details: { option: key, from },
      })
    }
    settings[key] = parsed.data
  }
  return Object.freeze({ ...(settings as unknown as Settings), cwd, redisFrom })
}

/** URL by name, of files by absolute path; 'default' is the one of migrations that name none. */
export function databasesOf({ cwd, database, databases }: Config): Record<string, string> {
  const all = { default: database ?? 'sqlite:.runner/app.db', ...databases }
  return Object.fromEntries(
    Object.entries(all).map(([name, url]) => [
      name,
      url.startsWith('sqlite:') ? `sqlite:${resolve(cwd, url.slice('sqlite:'.length))}` : url,
    ]),
  )
}
