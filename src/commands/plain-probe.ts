/** `runner probe` where all it needs is on the command line or in the environment: the usual case in a container. */
import { askProbe, PROBES, type ProbeName } from '../gateway/ask-probe.ts'

/**
 * False: something else was given too, or something is missing, and the settings decide; nothing was asked. Throws as
 * `askProbe` does.
 */
export async function plainProbe(
  args: readonly string[],
  env: Record<string, string | undefined>,
): Promise<boolean> {
  const [name = '', ...flags] = args
  if (!Object.hasOwn(PROBES, name)) return false
  const address = addressOf(flags) ?? (flags.length === 0 ? env['RUNNER_HTTP'] : undefined)
  if (address === undefined || address === '') return false
  await askProbe(name as ProbeName, address)
  return true
}

function addressOf(flags: readonly string[]): string | undefined {
  const [first = '', second] = flags
  if (flags.length === 1 && first.startsWith('--http=')) return first.slice('--http='.length)
  return flags.length === 2 && first === '--http' ? second : undefined
}
