/** `runner new token`: made here and written nowhere. Whoever runs it hands it on, and puts its hash into the config file. */
import { z } from 'zod'
import { RunnerError } from '../errors.ts'
import { newToken } from '../gateway/tokens.ts'
import { SCOPES, token as tokenSetting } from '../options/gateway-options.ts'
import { didYouMean } from '../suggestion.ts'
import type { CliContext } from './verbs.ts'

export function createToken(name: string | undefined, scopes: readonly string[], context: CliContext): void {
  const { token, hash } = newToken()
  const setting = { name: nameOf(name), hash, scopes: scopesOf(scopes) }
  const listed = setting.scopes.map(scope => `'${scope}'`).join(', ')
  context.note('this token is shown once, and kept nowhere; the config file has its hash:')
  context.note(`  tokens: [{ name: '${setting.name}', hash: '${hash}', scopes: [${listed}] }]`)
  context.print(token, { token, ...setting })
}

function nameOf(name: string | undefined): string {
  if (name === undefined)
    throw new RunnerError('USAGE', 'a token needs a name', {
      hint: 'runner new token --name shop --scope enqueue',
    })
  const parsed = tokenSetting.shape.name.safeParse(name)
  if (parsed.success) return name
  throw new RunnerError('USAGE', `--name: ${z.prettifyError(parsed.error).replace(/^✖ /, '')}`)
}

/** None implies another: a token that may cancel need not be able to enqueue. */
function scopesOf(given: readonly string[]): string[] {
  if (given.length === 0)
    throw new RunnerError('USAGE', `say what it may do: --scope ${SCOPES.join(', --scope ')}`)
  const wrong = given.find(scope => !(SCOPES as readonly string[]).includes(scope))
  if (wrong !== undefined)
    throw new RunnerError(
      'USAGE',
      `--scope: ${wrong} is none of ${SCOPES.join(', ')}`,
      didYouMean(wrong, SCOPES),
    )
  return [...new Set(given)]
}
