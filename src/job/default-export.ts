/** Imports a job file and finds what it exports by default. Must run where user code may run. */
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { RunnerError, messageOf } from '../errors.ts'
import { formatMilliseconds } from '../units.ts'
import { isJobDefinition, type JobDefinition } from './define.ts'
import { shortPath } from './file-path.ts'

export type Runnable = (...args: never[]) => unknown

/**
 * The `job()` definition or function that `file` exports.
 *
 * Throws JOB_IMPORT_FAILED when the file throws or does not end its top level within `timeout` milliseconds, and
 * JOB_NO_DEFAULT_EXPORT when it exports something else. A top level that blocks the thread cannot be timed here.
 */
export async function defaultExport(file: string, timeout: number): Promise<JobDefinition | Runnable> {
  const namespace = await importWithin(file, timeout)
  const exported = unwrap(namespace)
  if (isJobDefinition(exported)) return exported
  if (typeof exported === 'function' && !isClass(exported)) return exported as Runnable
  throw new RunnerError('JOB_NO_DEFAULT_EXPORT', `${shortPath(file)}: ${describe(exported, namespace)}`, {
    hint: looksLikeJob(exported)
      ? "wrap it: export default job({ ... }), with job from 'bullmq-runner'"
      : 'export default job({ ... }), or a function',
  })
}

/** All that `file` exports. Throws JOB_IMPORT_FAILED. */
export async function importWithin(file: string, timeout: number): Promise<Record<string, unknown>> {
  const deadline = new AbortController()
  const late = sleep(timeout, undefined, { signal: deadline.signal }).then(
    () => {
      throw new Error(`not loaded after ${formatMilliseconds(timeout)}: its top level awaits something`)
    },
    () => new Promise<never>(() => {}),
  )
  try {
    return (await Promise.race([import(pathToFileURL(file).href), late])) as Record<string, unknown>
  } catch (error) {
    throw importFailed(file, error)
  } finally {
    deadline.abort()
  }
}

/** CommonJS and transpiled modules put the default export one or two `default`s deep. */
function unwrap(namespace: Record<string, unknown>): unknown {
  let value = namespace['default']
  for (let depth = 0; depth < 2 && isRecord(value) && !isJobDefinition(value) && 'default' in value; depth++)
    value = value['default']
  return value
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const isClass = (value: object): boolean => /^class\b/.test(Function.prototype.toString.call(value))

const looksLikeJob = (value: unknown): boolean => isRecord(value) && typeof value['run'] === 'function'

function describe(exported: unknown, namespace: Record<string, unknown>): string {
  if (exported !== undefined) return `its default export is ${kindOf(exported)}, not a job or a function`
  const names = Object.keys(namespace).filter(name => name !== 'default' && name !== 'module.exports')
  return names.length > 0
    ? `it has no default export, only ${names.join(', ')}`
    : 'it has no default export, nor any other'
}

function kindOf(value: unknown): string {
  if (typeof value === 'function') return 'a class'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value !== 'object') return `a ${typeof value}`
  const keys = Object.keys(value)
  return keys.length > 0 ? `an object with ${keys.slice(0, 8).join(', ')}` : 'an empty object'
}

const UNSTRIPPABLE = new Set([
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
])

function importFailed(file: string, error: unknown): RunnerError {
  const line = lineOf(file, error)
  const reason = messageOf(error).trim().split('\n', 1)[0]
  const code = isRecord(error) ? String(error['code']) : ''
  return new RunnerError('JOB_IMPORT_FAILED', `${shortPath(file)}${line}: ${reason}`, {
    cause: error,
    ...(reason === 'Cannot use import statement outside a module' && {
      hint: 'package.json says "type": "commonjs": name the file .mts, or say "type": "module"',
    }),
    ...(UNSTRIPPABLE.has(code) && {
      hint: "Node only erases types: use erasable syntax (no enum, no namespace), or NODE_OPTIONS='--import tsx'",
    }),
  })
}

/** ':12', where the stack names a line of this very file. */
function lineOf(file: string, error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  for (const form of [pathToFileURL(file).href, file]) {
    const at = stack.indexOf(`${form}:`)
    const line = at < 0 ? undefined : /^\d+/.exec(stack.slice(at + form.length + 1))?.[0]
    if (line !== undefined) return `:${line}`
  }
  return ''
}
