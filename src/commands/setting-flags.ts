/** The flags that set an option of `OPTIONS`: made from its one declaration, read back under its key. */
import { type Command, Option } from 'commander'
import { z } from 'zod'
import { OPTIONS, type Option as Setting, type OptionKey } from '../options.ts'

class SettingFlag extends Option {
  readonly key: OptionKey
  constructor(key: OptionKey, setting: Setting & { flag: string }) {
    super(setting.flag, describe(key, setting))
    this.key = key
    // What takes a list by default can be given more than once.
    if (Array.isArray(setting.default))
      this.argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value])
  }
}

/**
 * Adds the flags of all settings of one scope, under their own heading in the help. A verb to which a setting means
 * nothing may have a flag of its own by that name.
 */
export function addSettingFlags(command: Command, scope: Setting['scope'], heading: string): void {
  for (const [key, setting] of Object.entries(OPTIONS) as [OptionKey, Setting][]) {
    const { flag: text } = setting
    if (setting.scope !== scope || text === undefined) continue
    const flag = new SettingFlag(key, { ...setting, flag: text }).helpGroup(heading)
    if (!command.options.some(({ long }) => long === flag.long)) command.addOption(flag)
  }
}

/** What was given on the command line, before or after a word of the verb; the last wins. */
export function settingFlags(command: Command): Partial<Record<OptionKey, unknown>> {
  const flags = command.parent === null ? {} : settingFlags(command.parent)
  for (const option of command.options) {
    const name = option.attributeName()
    if (option instanceof SettingFlag && command.getOptionValueSource(name) === 'cli')
      flags[option.key] = command.getOptionValue(name)
  }
  return flags
}

/** The words that the setting of a flag takes, where it takes no others. */
export function settingChoices(flag: Option): readonly string[] | undefined {
  const schema: unknown = flag instanceof SettingFlag ? OPTIONS[flag.key].schema : undefined
  return schema instanceof z.ZodEnum ? schema.options.map(String) : undefined
}

function describe(key: OptionKey, { about, env, default: fallback }: Setting): string {
  const set = [`env: ${env.join(' or ')}`, `config: ${key}`]
  const shown = [fallback ?? []].flat().map(String).join(', ')
  if (shown !== '') set.push(`default: ${shown}`)
  return `${about} (${set.join(', ')})`
}
