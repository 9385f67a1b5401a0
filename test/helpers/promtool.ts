/** `promtool`, which reads metrics, rules and their tests as the server of Prometheus does. */
import { spawnSync } from 'node:child_process'

export const hasPromtool = spawnSync('promtool', ['--version']).status === 0

/** `input` is its standard input. Returns its exit code, and all that it said. */
export function promtool(args: string[], input = ''): { code: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' })
  return { code: status, said: `${stdout}${stderr}` }
}
