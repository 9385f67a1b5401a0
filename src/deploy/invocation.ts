/** How a container calls `runner`: its words and variables, read as the command line reads them. */
import { basename } from 'node:path'
import type { Config } from '../config.ts'
import { OPTIONS, type Option, type OptionKey } from '../options.ts'
import { closest } from '../suggestion.ts'
import { fields, list, text, type Fields } from './documents.ts'

/** They are no settings. `true`: with a value. */
const OTHER_FLAGS: Record<string, boolean> = {
  '--watch': false,
  '--json': false,
  '--config': true,
  '--profile': true,
  '--output': true,
  '-o': true,
}
const RUNNER = /^(runner|bullmq-runner)(\.js)?$|^cli\.[jt]s$/
const SHELLS = /^((ba|da|a|z|k)?sh|npm|npx|yarn|pnpm|bunx?)$/

export interface Invocation {
  /** undefined: it does not call runner, or it cannot be told. */
  verb: 'work' | 'serve' | undefined
  /** The shell or package manager that is process 1 instead. */
  shell: string | undefined
  /** Of settings, as they were given. */
  flags: ReadonlyMap<OptionKey, readonly string[]>
  /** Variables that are set; undefined: from a Secret, or the like. */
  env: ReadonlyMap<string, string | undefined>
  /** Others may be set from Secrets or ConfigMaps whose keys are not known. */
  hasMoreEnv: boolean
  /** What runner would refuse. */
  faults: readonly string[]
}

export function invocationOf(container: Fields): Invocation {
  const env = new Map(
    list(container['env']).map(entry => {
      const { name, value } = fields(entry)
      return [text(name) ?? '', text(value)] as const
    }),
  )
  const given = [...list(container['command']), ...list(container['args'])]
  const words = given.map(word => expand(String(word), env))
  const isCalled = container['command'] === undefined || words.some(word => RUNNER.test(lastPart(word)))
  // `sh -c 'exec runner work'` puts runner in its place.
  const isReplaced = words.some(word => /(^|[;&\s])exec\s/.test(word))
  const shell = isReplaced ? undefined : [words[0] ?? ''].map(lastPart).find(word => SHELLS.test(word))
  // `sh -c 'runner work --queue mail'` is read too: what it gets wrong beside the shell is worth to be known.
  const isShell = SHELLS.test(lastPart(words[0] ?? ''))
  const split = isShell
    ? words.flatMap(word => word.split(/\s+/)).filter(word => !/^-\w*c$/.test(word))
    : words
  const verb = split.find(word => word === 'work' || word === 'serve')
  const isOurs = verb !== undefined && (isCalled || split.some(word => RUNNER.test(lastPart(word))))
  return {
    verb: isOurs ? verb : undefined,
    shell,
    env,
    hasMoreEnv: list(container['envFrom']).length > 0,
    ...readFlags(isOurs ? split : []),
  }
}

/** `$(NAME)` is what Kubernetes puts there, where it is known. */
const expand = (word: string, env: ReadonlyMap<string, string | undefined>): string =>
  word.replaceAll(/\$\((\w+)\)/g, (whole, name: string) => env.get(name) ?? whole)

const lastPart = (word: string): string => basename(word)

function readFlags(words: readonly string[]): Pick<Invocation, 'flags' | 'faults'> {
  const settings = new Map(
    (Object.entries(OPTIONS) as [OptionKey, Option][]).flatMap(([key, { flag }]) =>
      flag === undefined ? [] : [[flag.split(' ')[0] ?? '', { key, hasValue: flag.includes(' <') }] as const],
    ),
  )
  const flags = new Map<OptionKey, string[]>()
  const faults: string[] = []
  for (let i = 0; i < words.length; i++) {
    const [flag, inline] = splitOnce(words[i] ?? '')
    if (!/^--?[a-z]/.test(flag)) continue
    const { key, hasValue } = settings.get(flag) ?? { key: undefined, hasValue: OTHER_FLAGS[flag] }
    if (hasValue === undefined) {
      const near = closest(flag, [...settings.keys(), ...Object.keys(OTHER_FLAGS)])
      faults.push(`${flag} is no flag of runner${near === undefined ? '' : `, did you mean ${near}?`}`)
      continue
    }
    const value = hasValue ? (inline ?? words[++i]) : 'true'
    if (key === undefined || value === undefined) continue
    flags.set(key, [...(flags.get(key) ?? []), value])
  }
  for (const [key, values] of flags) {
    const fault = faultOf(key, values)
    if (fault !== undefined) faults.push(fault)
  }
  return { flags, faults }
}

const splitOnce = (word: string): [string, string?] => {
  const equals = word.startsWith('--') ? word.indexOf('=') : -1
  return equals < 0 ? [word] : [word.slice(0, equals), word.slice(equals + 1)]
}

/** What cannot be told, as it comes from a variable, is taken for right. */
function faultOf(key: OptionKey, values: readonly string[]): string | undefined {
  if (values.some(value => value.includes('$('))) return undefined
  const parsed = OPTIONS[key].schema.safeParse(given(key, values))
  const [issue] = parsed.success ? [] : parsed.error.issues
  return issue === undefined ? undefined : `${(OPTIONS[key] as Option).flag?.split(' ')[0]}: ${issue.message}`
}

const given = (key: OptionKey, values: readonly string[]): unknown =>
  Array.isArray(OPTIONS[key].default) ? values : values.at(-1)

/** As the container has it: by flag, by variable, or else as in `config`, which stands for the file in the image. */
export function settingOf<Key extends OptionKey>(
  { flags, env }: Invocation,
  key: Key,
  config: Config,
): Config[Key] {
  const values = flags.get(key)
  const variable = (OPTIONS[key] as Option).env.map(name => env.get(name)).find(value => value !== undefined)
  const value = values === undefined ? variable : given(key, values)
  const parsed = value === undefined ? undefined : OPTIONS[key].schema.safeParse(value)
  return parsed?.success === true ? (parsed.data as Config[Key]) : config[key]
}
