/** `runner probe`: what an orchestrator asks, for images without curl. Most calls end in plain-probe.ts already. */
import type { Command } from 'commander'
import { RunnerError } from '../errors.ts'
import { askProbe, PROBES, type ProbeName } from '../gateway/ask-probe.ts'
import { didYouMean } from '../suggestion.ts'
import { addHelp } from './help.ts'
import { addSettingFlags } from './setting-flags.ts'
import type { CliContext } from './verbs.ts'

export function define(command: Command, context: CliContext): void {
  command.argument('<what>', 'live, ready or startup').action(async (what: string) => {
    const names = Object.keys(PROBES)
    if (!names.includes(what)) {
      throw new RunnerError(
        'USAGE',
        `nothing to probe is named ${what}: live, ready or startup`,
        didYouMean(what, names),
      )
    }
    const { http } = await context.config()
    if (http === undefined) {
      throw new RunnerError('USAGE', 'where the replica answers is not known', {
        hint: 'give the address that `runner work` was given: --http or RUNNER_HTTP',
      })
    }
    await askProbe(what as ProbeName, http)
  })
  addSettingFlags(command, 'http', 'Options of the replica:')
  addHelp(
    command,
    [
      ['runner probe live --http :9090', 'silent when it is; the reason on stderr when it is not'],
      ['runner probe ready', 'at RUNNER_HTTP'],
    ],
    ['ok', 'runtime', 'usage'],
  )
}
