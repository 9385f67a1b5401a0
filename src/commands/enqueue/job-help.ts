/** `runner enqueue <job> --help`: the general help, with the fields of this job as flags. */
import { type Command, Option } from 'commander'
import type { FileField, JobEntry } from '../../job/manifest.ts'
import { resolve, type JsonSchema } from './json-schema.ts'
import { fieldsOf, placeholder, type Field } from './payload-field.ts'

/** Long flags without dashes that a payload cannot have, because the command has them. */
export function ownFlags(command: Command): Set<string> {
  return new Set(command.options.flatMap(({ long }) => (long === undefined ? [] : [long.replace(/^--/, '')])))
}

/**
 * Of a job that takes no files, `--file` is a field of the payload, if of anything: what was given for it goes back among
 * the words that are left, and the command has no such flag.
 */
export function giveFileBack(command: Command, flags: { file?: string[] }): void {
  const own = command.options.findIndex(({ long }) => long === '--file')
  if (own !== -1) (command.options as Option[]).splice(own, 1)
  for (const value of flags.file ?? []) command.args.push(`--file=${value}`)
  delete flags.file
}

export function showJobHelp(command: Command, entry: JobEntry): void {
  command.description(entry.description ?? `add a job ${entry.name}`)
  command.usage(`${entry.name} [options]`)
  if (entry.schema === undefined) {
    command.addHelpText('after', `\n${entry.name} has no schema: it takes any --key value, and --data.`)
  } else addFields(command, entry.name, entry.schema)
  addFiles(command, entry.files ?? {})
  command.outputHelp()
}

function addFiles(command: Command, files: Record<string, FileField>): void {
  const lines = Object.entries(files).map(([field, { types, maxBytes, list, optional }]) => {
    const remarks = [
      types?.join(' or '),
      maxBytes !== undefined && `at most ${maxBytes} bytes`,
      list && 'may be given often',
      optional !== true && 'required',
    ]
    return `  --file ${field}=<path>  ${remarks.filter(remark => typeof remark === 'string').join(', ')}`.trimEnd()
  })
  if (lines.length > 0) command.addHelpText('after', `\nFiles of the payload:\n${lines.join('\n')}`)
}

function addFields(command: Command, name: string, root: JsonSchema): void {
  const own = ownFlags(command)
  const [reachable, hidden] = partition(fieldsOf(root), field => !own.has(field.flags[0]!))
  for (const field of reachable) command.addOption(optionFor(field, root).helpGroup(`Payload of ${name}:`))
  if (hidden.length === 0) return
  const list = hidden.map(field => field.path.join('.')).join(', ')
  command.addHelpText('after', `\nOnly by --data, since the command has flags of that name: ${list}`)
}

function optionFor(field: Field, root: JsonSchema): Option {
  const schema = resolve(field.schema, root)
  // A description may stand on the reference, a default on what it refers to.
  const { description, default: fallback } = { ...schema, ...field.schema }
  const remarks: string[] = []
  if (field.required && fallback === undefined) remarks.push('required')
  if (fallback !== undefined)
    remarks.push(`default: ${typeof fallback === 'string' ? fallback : JSON.stringify(fallback)}`)
  if (field.kind === 'boolean') remarks.push(`--no-${field.flags[0]} for false`)
  const about = [description, remarks.length > 0 ? `(${remarks.join(', ')})` : undefined]
  return new Option(`--${field.flags[0]} ${placeholder(field, root)}`.trim(), about.filter(Boolean).join(' '))
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter(item => !test(item))]
}
