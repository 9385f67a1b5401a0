/**
 * The settings of one run. Precedence: flag > environment > profile > `runner.config.ts` > default.
 * Resolved once at start, then frozen and handed on: nothing else reads the environment.
 */
import { resolve } from 'node:path'
import type { z } from 'zod'
import { loadConfigFile, profileOf } from './config-file.ts'
import { RunnerError } from './errors.ts'
import { OPTIONS, isConfidential, type Option, type OptionKey, type Settings } from './options.ts'

type FileSettings = { [K in OptionKey]?: z.input<(typeof OPTIONS)[K]['schema']> }

/** What `runner.config.ts` may export by default. */
export interface ConfigFile extends FileSettings {
  /** By name, chosen by --profile or RUNNER_PROFILE: its values win over those beside `profiles`. */
  profiles?: Record<string, FileSettings>
}

export interface Config extends Readonly<Settings> {
  /** Folder that relative paths, `.runner/` and the config file belong to. */
  readonly cwd: string
  /** What `redis` was given by, as messages name it: '--redis', 'REDIS_URL', 'redis in profile ci'. */
  readonly redisFrom: string
  /** The config file, or its profile in force, has a Redis, whatever a flag or a variable says. */
  readonly redisInFile: boolean
}

/** For `runner.config.ts`: types only. */
export const defineConfig = (config: ConfigFile): ConfigFile => config

/** Where the value of a setting comes from. */
export interface Origin {
  from: 'flag' | 'env' | 'profile' | 'file' | 'default'
  /** '--grace', 'RUNNER_GRACE', the name of the profile, the path of the file; null for a default. */
  name: string | null
  /** As it was written there: '25s' where the setting is 25000. Undefined: it has no value. */
  given: unknown
}

export interface Resolution {
  config: Config
  origins: Record<OptionKey, Origin>
  /** Path of the config file, and the profile of it that is in force, where there are. */
  file?: string
  profile?: string
}

export interface ConfigSources {
  cwd: string
  env: Record<string, string | undefined>
  flags: Partial<Record<OptionKey, unknown>>
  /** --config. */
  file?: string
  /** --profile; default: RUNNER_PROFILE. */
  profile?: string
}

/** Reads all sources, checks each value, and says which option of which source is wrong. */
export async function resolveConfig(sources: ConfigSources): Promise<Config> {
  return (await resolveWithOrigins(sources)).config
}

/** The same, and where each value comes from. */
export async function resolveWithOrigins(sources: ConfigSources): Promise<Resolution> {
  const { cwd, env, file } = sources
  const loaded = await loadConfigFile(cwd, file)
  const variable = env['RUNNER_PROFILE'] === '' ? undefined : env['RUNNER_PROFILE']
  const profile = sources.profile ?? variable
  const asked = sources.profile === undefined ? 'RUNNER_PROFILE' : '--profile'
  const inProfile = profile === undefined ? {} : profileOf(loaded, profile, asked)
  const settings: Record<string, unknown> = {}
  const origins: Partial<Record<OptionKey, Origin>> = {}
  for (const [key, option] of Object.entries(OPTIONS) as [OptionKey, Option][]) {
    const origin: Origin =
      fromCommand(key, option, sources) ??
      (inProfile[key] !== undefined
        ? { from: 'profile', name: profile ?? null, given: inProfile[key] }
        : loaded.values[key] !== undefined
          ? { from: 'file', name: loaded.path ?? null, given: loaded.values[key] }
          : { from: 'default', name: null, given: option.default })
    origins[key] = origin
    if (origin.given !== undefined) settings[key] = parse(key, option, origin)
  }
  const redisFrom = labelOf('redis', origins.redis)
  const redisInFile = (inProfile.redis ?? loaded.values.redis) !== undefined
  return {
    config: Object.freeze({ ...(settings as unknown as Settings), cwd, redisFrom, redisInFile }),
    origins: origins as Record<OptionKey, Origin>,
    ...(loaded.path !== undefined && { file: loaded.path }),
    ...(profile !== undefined && { profile }),
  }
}

function fromCommand(key: OptionKey, option: Option, { env, flags }: ConfigSources): Origin | undefined {
  if (flags[key] !== undefined)
    return { from: 'flag', name: option.flag?.split(' ')[0] ?? key, given: flags[key] }
  const name = option.env.find(variable => env[variable] !== undefined && env[variable] !== '')
  return name === undefined ? undefined : { from: 'env', name, given: env[name] }
}

function parse(key: OptionKey, option: Option, origin: Origin): unknown {
  const parsed = option.schema.safeParse(origin.given)
  if (parsed.success) return parsed.data
  const reason = parsed.error.issues
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ')
  // Of what is deep in a value, the place says enough; beside it there may be what is not to be shown.
  const isDeep = parsed.error.issues.some(({ path }) => path.length > 0)
  const isHidden = isConfidential(key) || isDeep || reason.includes(', got ')
  const shown = isHidden ? '' : ` (got ${JSON.stringify(origin.given)})`
  throw new RunnerError('CONFIG_INVALID', `${labelOf(key, origin)}: ${reason}${shown}`, {
    details: { option: key, from: origin.from },
  })
}

/** As messages name it: '--redis', 'REDIS_URL', 'redis in the config file', 'redis in profile ci'. */
function labelOf(key: OptionKey, origin: Origin | undefined): string {
  if (origin?.from === 'file') return `${key} in the config file`
  if (origin?.from === 'profile') return `${key} in profile ${origin.name}`
  return origin?.name ?? key
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

/** Where files are, as `openStores` takes it and as it crosses to an executor. */
export function placesOf({ cwd, store, stores }: Config): Pick<Config, 'cwd' | 'store' | 'stores'> {
  return { cwd, store, stores }
}
