/** What may come next on a command line, from the definitions of its verb and no other. */
import type { Argument, Command, Option } from 'commander'
import { addVerbs, createProgram, verbOf } from '../program.ts'
import { settingChoices } from '../setting-flags.ts'
import { GROUPS, VERBS, type CliContext } from '../verbs.ts'
import { liveValues } from './live-values.ts'

export interface Answer {
  /** Value -> what it is, as far as is known by now. */
  readonly offers: Map<string, string>
  directive: 0 | 4 | 16
}

/** Of a flag or an argument. */
interface Place {
  /** '--queue', or 'queue' for an argument. */
  name: string
  /** What it takes: 'file' of `--config <file>`. */
  value: string
  choices: readonly string[] | undefined
}

/** Fills `answer`, little by little: it may be read at any time. Rejects for whatever goes wrong on the way. */
export async function candidatesFor(words: readonly string[], last: string, answer: Answer): Promise<void> {
  const program = createProgram()
  const [called] = verbOf(words, program)
  const isVerb = called !== undefined && Object.hasOwn(VERBS, called)
  const verbs = await addVerbs(program, isVerb ? [called] : [])
  const verb = isVerb ? verbs.get(called) : undefined
  const command = verb?.command ?? groupOf(program, called)
  if (command === undefined) return
  const offer = (value: string, about = '') => {
    if (value.startsWith(prefix) && !answer.offers.has(value)) answer.offers.set(value, about)
  }
  const [, assigned, assignedPrefix = ''] = /^(--[\w-]+)=(.*)$/s.exec(last) ?? []
  const flag = flagWithValue(command, assigned ?? words.at(-1))
  const prefix = assigned === undefined ? last : assignedPrefix
  const operands = parse(command, flag !== undefined && assigned === undefined ? words.slice(0, -1) : words)
  if (flag !== undefined) {
    await offerPlace(placeOf(flag), { called, verb, answer, offer })
  } else if (last.startsWith('-')) {
    for (const { long, short, description, hidden } of flagsOf(command))
      if (!hidden) offer(long ?? short ?? '', description)
  } else if (command.commands.length > 0) {
    for (const below of command.commands) offer(below.name(), below.description())
  } else {
    const argument = argumentAt(command, operands.length - (called?.split(' ').length ?? 0))
    if (argument !== undefined)
      await offerPlace(
        { name: argument.name(), value: argument.name(), choices: argument.argChoices },
        { called, verb, answer, offer },
      )
  }
}

function groupOf(program: Command, called: string | undefined): Command | undefined {
  if (called === undefined) return program
  return Object.hasOwn(GROUPS, called)
    ? program.commands.find(command => command.name() === called)
    : undefined
}

/** With the one that shows the help, which commander keeps elsewhere. */
function flagsOf(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command)
}

/** The flag that `word` is, if a value follows it. */
function flagWithValue(command: Command, word: string | undefined): Option | undefined {
  const flag = command.options.find(({ long, short }) => word !== undefined && [long, short].includes(word))
  return flag?.required === true ? flag : undefined
}

function placeOf(flag: Option): Place {
  const [, value = ''] = /[<[](\w+)/.exec(flag.flags) ?? []
  return { name: flag.long ?? '', value, choices: flag.argChoices ?? settingChoices(flag) }
}

/** Takes over the flags that were typed, as --redis, and returns the other words. */
function parse(command: Command, words: readonly string[]): string[] {
  try {
    return command.parseOptions([...words]).operands
  } catch {
    // A value that does not suit its flag: it is typed already, and what follows is completed all the same.
    return words.filter(word => !word.startsWith('-'))
  }
}

function argumentAt({ registeredArguments }: Command, index: number): Argument | undefined {
  const last = registeredArguments.at(-1)
  return registeredArguments[index] ?? (last?.variadic === true ? last : undefined)
}

interface Asked {
  called: string | undefined
  verb: { command: Command; context: CliContext } | undefined
  answer: Answer
  offer: (value: string, about?: string) => void
}

async function offerPlace({ name, value, choices }: Place, asked: Asked): Promise<void> {
  const { called, verb, answer, offer } = asked
  if (choices !== undefined) return choices.forEach(choice => offer(choice))
  if (value === 'file') answer.directive = 0
  else if (value === 'dir') answer.directive = 16
  else if (verb !== undefined) await liveValues(called ?? '', name)?.({ ...verb, offer })
}
