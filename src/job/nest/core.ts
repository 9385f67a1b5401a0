/** The NestJS of an application: found from its own file, since a second copy would not know its modules. */
import type * as core from '@nestjs/core'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { RunnerError } from '../../errors.ts'
import type { Class } from '../handler.ts'
import { shortPath } from '../file-path.ts'

export type NestCore = typeof core

export async function importCore(file: string): Promise<NestCore> {
  let path: string
  try {
    path = createRequire(file).resolve('@nestjs/core')
  } catch (error) {
    throw new RunnerError('NEST_APP_FAILED', `${shortPath(file)}: there is no @nestjs/core`, {
      cause: error,
      hint: 'npm install @nestjs/core @nestjs/common',
    })
  }
  return (await import(pathToFileURL(path).href)) as NestCore
}

/** The default export, `AppModule`, or the only class that the file exports. Throws NEST_APP_FAILED. */
export function rootModule(file: string, namespace: Record<string, unknown>): Class {
  // CommonJS: everything is in `default` once more.
  const inside = namespace['default']
  const exported = typeof inside === 'object' && inside !== null ? { ...namespace, ...inside } : namespace
  const classes = Object.entries(exported).filter(([, value]) => typeof value === 'function')
  const distinct = new Set(classes.map(([, value]) => value))
  const named = (name: string) => classes.find(([key]) => key === name)?.[1]
  const chosen = named('default') ?? named('AppModule') ?? (distinct.size === 1 ? classes[0]?.[1] : undefined)
  if (chosen !== undefined) return chosen as Class
  const names = classes
    .map(([name]) => name)
    .filter(name => name !== 'module.exports')
    .sort()
  const what = names.length === 0 ? 'it exports no module' : `it exports ${names.join(', ')}`
  throw new RunnerError('NEST_APP_FAILED', `${shortPath(file)}: ${what}: which is the root?`, {
    hint: 'export one module by default, or as AppModule',
  })
}
