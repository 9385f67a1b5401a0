/** `runner config [setting]`: what is in force, and where it was said. */
import type { Command } from 'commander'
import type { Origin, Resolution } from '../config.ts'
import { RunnerError } from '../errors.ts'
import { OPTIONS, type OptionKey } from '../options.ts'
import { didYouMean } from '../suggestion.ts'
import { textTable } from '../table.ts'
import { disclose } from './config/disclosure.ts'
import { addHelp } from './help.ts'
import { addSettingFlags } from './setting-flags.ts'
import type { CliContext } from './verbs.ts'

/** One setting. Times in milliseconds, sizes in bytes; null where there is no value. Without credentials. */
interface Row {
  setting: OptionKey
  value: unknown
  from: Origin['from']
  /** Of the flag, the variable, the profile, or the file. */
  name: string | null
}

export function define(command: Command, context: CliContext): void {
  command
    .argument('[setting]', 'only this one, by its name in the config file')
    .action(async (setting: string | undefined) => show(setting, context))
  addSettingFlags(command, 'work', 'Options of a replica:')
  addHelp(
    command,
    [
      ['runner config', 'what is in force here; passwords are shown as ***'],
      ['runner config --profile production', 'what would be, with that profile'],
      ['runner config lockDuration', 'one value, and nothing else'],
      ['runner config --json | jq \'.[] | select(.from != "default")\'', 'milliseconds and bytes'],
    ],
    ['ok', 'usage'],
  )
}

async function show(setting: string | undefined, context: CliContext): Promise<void> {
  const key = setting === undefined ? undefined : keyOf(setting)
  const resolution = await context.resolution()
  if (key !== undefined) {
    const row = rowOf(key, resolution)
    return context.print(textOf(key, resolution), row)
  }
  if (resolution.file !== undefined) {
    const { file, profile } = resolution
    context.note(`config file ${file}${profile === undefined ? '' : `, profile ${profile}`}`)
  }
  const keys = Object.keys(OPTIONS) as OptionKey[]
  const lines = keys.map(one => [one, textOf(one, resolution) || '-', whence(resolution.origins[one])])
  context.print(
    textTable([['SETTING', 'VALUE', 'FROM'], ...lines]),
    keys.map(one => rowOf(one, resolution)),
  )
}

function keyOf(text: string): OptionKey {
  if (Object.hasOwn(OPTIONS, text)) return text as OptionKey
  throw new RunnerError('USAGE', `there is no setting ${JSON.stringify(text)}`, {
    hint: 'runner config shows all',
    ...didYouMean(text, Object.keys(OPTIONS)),
  })
}

function rowOf(setting: OptionKey, { config, origins }: Resolution): Row {
  const { from, name } = origins[setting]
  return { setting, value: disclose(setting, config[setting]) ?? null, from, name }
}

/** As one would write it: a time or a size with the unit it was given with. '' without a value. */
function textOf(setting: OptionKey, { config, origins }: Resolution): string {
  const value: unknown = config[setting]
  if (value === undefined) return ''
  const { given } = origins[setting]
  if (typeof value === 'number' && typeof given === 'string') return given.trim()
  const shown = disclose(setting, value)
  if (Array.isArray(shown) && shown.every(element => typeof element === 'string')) return shown.join(',')
  return typeof shown === 'string' ? shown : JSON.stringify(shown)
}

function whence({ from, name }: Origin): string {
  return name === null ? from : `${from} ${name}`
}
