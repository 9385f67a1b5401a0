/** `runner completion <shell>`: the script that makes a shell ask `runner complete` at each TAB. */
import { script } from '@bomb.sh/tab'
import { Argument, type Command } from 'commander'
import { addHelp } from './help.ts'
import { BASH_SCRIPT } from './completion/bash-script.ts'
import type { CliContext } from './verbs.ts'

const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const
type Shell = (typeof SHELLS)[number]

/** As it is typed. */
const NAME = 'runner'

export function define(command: Command, context: CliContext): void {
  command
    .addArgument(new Argument('<shell>', 'yours').choices(SHELLS))
    .action((shell: Shell) => context.print(scriptOf(shell), { shell, script: scriptOf(shell) }))
  addHelp(
    command,
    [
      ['runner completion bash >> ~/.bashrc'],
      ['runner completion zsh > ~/.zfunc/_runner', 'with fpath+=~/.zfunc before compinit in ~/.zshrc'],
      ['runner completion fish > ~/.config/fish/completions/runner.fish'],
      ['runner completion powershell >> $PROFILE'],
    ],
    ['ok', 'usage'],
  )
}

function scriptOf(shell: Shell): string {
  if (shell === 'bash') return BASH_SCRIPT
  // The library prints it.
  const { log } = console
  const printed: unknown[] = []
  console.log = (text: unknown) => void printed.push(text)
  try {
    script(shell, NAME, NAME)
  } finally {
    console.log = log
  }
  return printed.join('\n').trimEnd()
}
