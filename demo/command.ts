/** How the demo calls the binary: as a user would, but with the jobs of this repository and a Redis of its own. */
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..')
export const RUNNER = join(ROOT, 'bin', 'runner.js')
export const JOBS = ['--jobs', join(ROOT, 'jobs'), '--jobs', join(ROOT, 'scripts')]

/** Without settings of yours: the demo must not put its jobs into your Redis, nor its rows into your database. */
export const envOf = (database: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(RUNNER_|REDIS_URL$)/.test(name))),
  DATABASE_URL: `sqlite:${database}`,
})
