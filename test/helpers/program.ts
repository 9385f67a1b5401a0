/** The whole command line in this process, with the arguments, flags and help of every verb. */
import type { Command } from 'commander'
import { addVerbs, createProgram } from '../../src/commands/program.ts'
import { VERBS } from '../../src/commands/verbs.ts'

export interface WholeProgram {
  program: Command
  /** In the order in which the help lists them. */
  verbs: Map<string, Command>
}

/** A new one each time: what was parsed by one stays in it. */
export async function wholeProgram(): Promise<WholeProgram> {
  const program = createProgram()
  const verbs = await addVerbs(program, Object.keys(VERBS))
  return { program, verbs: new Map([...verbs].map(([name, { command }]) => [name, command])) }
}

/** All that `--help` shows. */
export function helpOf(command: Command): string {
  let help = ''
  command.configureOutput({ writeOut: text => void (help += text) })
  command.outputHelp()
  return help
}

const GLOBAL = 'Global options:'

/** The flags of a verb that other verbs do not have too, as they are declared: `--data <json>`. Not --help. */
export function ownFlags(command: Command): string[] {
  const shared = [
    'Options of a replica:',
    'Options of the replica:',
    'Options of scaling:',
    'Options of a service:',
    GLOBAL,
  ]
  return command.options
    .filter(({ helpGroupHeading, long }) => !shared.includes(helpGroupHeading ?? '') && long !== '--help')
    .map(({ flags }) => flags)
}
