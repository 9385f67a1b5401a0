/** The command line as a whole: global flags, the verbs, and the one verb that is called. */
import { Command, Help, Option } from 'commander'
import { resolveWithOrigins } from '../config.ts'
import { RunnerError } from '../errors.ts'
import { didYouMean } from '../suggestion.ts'
import { VERSION } from '../version.ts'
import { FORMATS, createOutput, type Format } from './output.ts'
import { addSettingFlags, settingFlags } from './setting-flags.ts'
import { GROUPS, VERBS, type CliContext } from './verbs.ts'

const GLOBAL = 'Global options:'

/** Parses `args` and runs their verb to its end. Throws what the verb throws, and CommanderError for wrong usage. */
export async function runProgram(args: string[]): Promise<void> {
  const program = createProgram()
  const [called, isHelp] = verbOf(args, program)
  if (isHelp && called !== undefined && !Object.hasOwn(VERBS, called) && !Object.hasOwn(GROUPS, called))
    throw new RunnerError('USAGE', `unknown command '${called}'`, didYouMean(called, Object.keys(VERBS)))
  await addVerbs(program, called === undefined ? [] : [called])
  await program.parseAsync(args, { from: 'user' })
}

/** Adds every verb to `program`; only those that are `called` have their arguments, flags and action. By name. */
export async function addVerbs(
  program: Command,
  called: readonly string[],
): Promise<Map<string, { command: Command; context: CliContext }>> {
  const groups = new Map<string, Command>()
  const verbs = new Map<string, { command: Command; context: CliContext }>()
  for (const [name, { about, load }] of Object.entries(VERBS)) {
    const [first, second] = name.split(' ') as [string, string?]
    let parent = program
    if (second !== undefined) {
      parent = groups.get(first) ?? createGroup(program, first)
      groups.set(first, parent)
    }
    const command = parent.command(second ?? first).description(about)
    const context = contextOf(command)
    if (called.includes(name)) (await load()).define(command, context)
    addGlobalFlags(command)
    verbs.set(name, { command, context })
  }
  return verbs
}

/** The command line without its verbs. */
export function createProgram(): Command {
  const program = new Command('runner')
    .description('Runs BullMQ jobs from files, and adds them.')
    .version(VERSION, '-V, --version', 'print the version')
    // Flags after the verb are the verb's own, so that a payload may have a field named "version".
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .configureHelp({ subcommandTerm: command => command.name(), groupItems })
    .addHelpText('after', '\nEvery verb has its own help, with examples: runner <verb> --help')
  addGlobalFlags(program)
  return program
}

function createGroup(program: Command, name: string): Command {
  const group = program.command(name).description(GROUPS[name] ?? '')
  addGlobalFlags(group)
  return group
}

function addGlobalFlags(command: Command): void {
  addSettingFlags(command, 'global', GLOBAL)
  command
    .addOption(
      new Option('--config <file>', 'config file (default: runner.config.ts, .mts, .js or .mjs)').helpGroup(
        GLOBAL,
      ),
    )
    .addOption(
      new Option(
        '--profile <name>',
        'profile of the config file: its values win over the others of that file (env: RUNNER_PROFILE)',
      ).helpGroup(GLOBAL),
    )
    .addOption(new Option('-o, --output <format>', 'form of the output').choices(FORMATS).helpGroup(GLOBAL))
    .addOption(new Option('--json', 'the same as -o json').helpGroup(GLOBAL))
}

/** The flags that every verb has come last in its help. */
function groupItems<Item extends Command | Option>(
  this: Help,
  ...args: [items: Item[], visible: Item[], groupOf: (item: Item) => string]
): Map<string, Item[]> {
  const groups = Help.prototype.groupItems.apply(this, args as never) as Map<string, unknown> as Map<
    string,
    Item[]
  >
  const global = groups.get(GLOBAL)
  if (global !== undefined && groups.delete(GLOBAL)) groups.set(GLOBAL, global)
  return groups
}

/** The verb that `args` call or ask the help of: the first words that are neither a flag nor a flag's value. */
export function verbOf(
  args: readonly string[],
  program: Command,
): [verb: string | undefined, isHelp: boolean] {
  const takesValue = new Set(
    program.options.filter(option => option.required).flatMap(({ long, short }) => [long, short]),
  )
  const operands = args.filter((arg, i) => !arg.startsWith('-') && !takesValue.has(args[i - 1] ?? ''))
  const isHelp = operands[0] === 'help'
  const [first, second] = isHelp ? operands.slice(1) : operands
  const both = `${first} ${second}`
  const isBoth = Object.hasOwn(VERBS, both) || (second !== undefined && Object.hasOwn(GROUPS, first ?? ''))
  return [isBoth ? both : first, isHelp]
}

/** Flags are read when they are asked for: the command is not parsed yet. */
function contextOf(command: Command): CliContext {
  const given = () =>
    command.optsWithGlobals<{ config?: string; profile?: string; output?: Format; json?: true }>()
  const output = () => createOutput(given().json === true ? 'json' : (given().output ?? 'text'))
  const resolution: CliContext['resolution'] = async flags => {
    const { config: file, profile } = given()
    return resolveWithOrigins({
      cwd: process.cwd(),
      env: process.env,
      flags: { ...settingFlags(command), ...flags },
      ...(file !== undefined && { file }),
      ...(profile !== undefined && { profile }),
    })
  }
  return {
    get format() {
      return output().format
    },
    print: (text, data) => output().print(text, data),
    note: line => output().note(line),
    config: async flags => (await resolution(flags)).config,
    resolution,
  }
}
