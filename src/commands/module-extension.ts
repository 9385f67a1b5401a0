/** '.ts' where Node takes such a file for an ES module, '.mts' where package.json says "type": "commonjs", as `npm init` does. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export function moduleExtension(dir: string): '.ts' | '.mts' {
  for (let at = dir; ; at = dirname(at)) {
    const file = join(at, 'package.json')
    if (existsSync(file)) {
      const { type } = JSON.parse(readFileSync(file, 'utf8')) as { type?: string }
      return type === 'commonjs' ? '.mts' : '.ts'
    }
    if (dirname(at) === at) return '.ts'
  }
}
