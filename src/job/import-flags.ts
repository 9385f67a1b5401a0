/**
 * Node flags for threads and processes that import job files.
 *
 * The flags of this process are not handed on as they are: a thread refuses to start with a V8 flag among them
 * (ERR_WORKER_INVALID_EXEC_ARGV). Only what decides *how a file is imported* is passed on.
 * What NODE_OPTIONS holds needs no handing on: threads and children read it themselves.
 */
const WITH_VALUE = new Set([
  '--import',
  '--require',
  '-r',
  '--loader',
  '--experimental-loader',
  '--conditions',
  '-C',
])
const ALONE = new Set(['--no-warnings', '--enable-source-maps'])

/** Run from .ts files, this package is imported by job files as source, not from `dist`. */
export const SOURCE_CONDITION = '@bullmq-runner/source'

export function importFlags(execArgv: readonly string[] = process.execArgv): string[] {
  const flags: string[] = []
  for (let i = 0; i < execArgv.length; i++) {
    const flag = execArgv[i]!
    const [name = flag] = flag.split('=', 1)
    if (ALONE.has(flag) || (name !== flag && WITH_VALUE.has(name))) flags.push(flag)
    else if (WITH_VALUE.has(flag) && execArgv[i + 1] !== undefined) flags.push(flag, execArgv[++i]!)
  }
  const source = `--conditions=${SOURCE_CONDITION}`
  if (import.meta.url.endsWith('.ts') && !flags.includes(source)) flags.push(source)
  return flags
}
