/**
 * Runs verbs one after another in a process that has loaded them already, each with a folder and an environment of its
 * own, and sends back what a process of its own would have printed and how it would have ended (warm-runner.ts).
 */
import { runProgram } from '../../src/commands/program.ts'
import { reportFailure } from '../../src/commands/failure.ts'
import type { WarmAnswer, WarmCall } from './warm-runner.ts'

// Verbs listen to signals once each, and are over before the next one comes.
process.setMaxListeners(0)

process.on('message', call => void answer(call as WarmCall))
process.once('disconnect', () => process.exit())

async function answer({ args, cwd, env }: WarmCall): Promise<void> {
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  process.chdir(cwd)
  process.exitCode = 0
  const printed = { stdout: '', stderr: '' }
  const release = [capture('stdout', printed), capture('stderr', printed)]
  try {
    await runProgram(args)
  } catch (error) {
    process.exitCode = reportFailure(error, args)
  }
  for (const end of release) end()
  // The folder may be removed now.
  process.chdir('/')
  process.send?.({ code: process.exitCode, ...printed } satisfies WarmAnswer)
}

/** Collects what is written, until the function that it gives is called. */
function capture(name: 'stdout' | 'stderr', printed: Record<typeof name, string>): () => void {
  const stream = process[name]
  const collect = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    printed[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    const done = rest.at(-1)
    if (typeof done === 'function') setImmediate(done as () => void)
    return true
  }
  // An own property in front of that of its class.
  stream.write = collect
  return () => Reflect.deleteProperty(stream, 'write')
}
