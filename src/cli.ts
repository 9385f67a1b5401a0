/** argv -> one command, imported only when it is called; whatever it throws -> a message and an exit code. */
import { enableCompileCache, registerHooks } from 'node:module'
import { EXIT } from './errors.ts'

/** Runs the command of `argv` (that of the process). Never rejects: the outcome is `process.exitCode`. */
export async function main(argv: string[]): Promise<void> {
  endQuietlyWithReader()
  const args = argv.slice(2)
  try {
    if (args[0] === '--version' || args[0] === '-V') return await printVersion()
    const isSource = import.meta.url.endsWith('.ts')
    if (args[0] === 'serve') await keepSmall()
    // Halves what the imports below cost, from the second start on. What is always on would hold it in memory.
    if (args[0] !== 'serve' || isSource) enableCompileCache()
    if (args[0] === 'probe' && (await probeAtOnce(args.slice(1)))) return
    if (isSource) await importSource()
    if (args[0] === 'complete' && /^--(line)?$/.test(args[1] ?? '')) return await completeLine(args.slice(1))
    const { runProgram } = await import('./commands/program.ts')
    await runProgram(args)
  } catch (error) {
    const { reportFailure } = await import('./commands/failure.ts')
    process.exitCode = reportFailure(error, args)
  }
}

/** Every few seconds in every pod: without the settings and all that they need, where the address is given. */
async function probeAtOnce(args: string[]): Promise<boolean> {
  const { plainProbe } = await import('./commands/plain-probe.ts')
  return plainProbe(args, process.env)
}

/** Always on, and holds little: before the imports below, which would make its heap 30 MB larger for good. */
async function keepSmall(): Promise<void> {
  const { keepHeapSmall } = await import('./gateway/small-heap.ts')
  keepHeapSmall()
}

/** Run from source, so is what `runner.config.ts` imports; threads and children have a flag for it. */
async function importSource(): Promise<void> {
  const { SOURCE_CONDITION } = await import('./job/import-flags.ts')
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, SOURCE_CONDITION] }),
  })
}

/** What a shell asks at each TAB (`runner completion` prints who asks). */
async function completeLine(args: string[]): Promise<void> {
  const { answerShell } = await import('./commands/completion/shell-answer.ts')
  await answerShell(args)
}

async function printVersion(): Promise<void> {
  const { VERSION } = await import('./version.ts')
  console.log(VERSION)
}

/** `runner ... | head -1`: the reader has what it wanted. Who reads errors no more is told none, and the exit code stays. */
function endQuietlyWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(process.exitCode ?? EXIT.ok)
  })
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}
