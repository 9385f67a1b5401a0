/** `runner enqueue migrate-users --follow`, as a user would type it: with its bar where there is a terminal. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { JOBS, RUNNER } from './replica.ts'

/** Small batches, so that there are a thousand transactions to be killed between or within. */
const BATCH = 50

export async function enqueueMigration(folder: string, database: string): Promise<number | null> {
  const args = ['enqueue', 'migrate-users', '--database', database, '--batch', String(BATCH), '--follow']
  console.log(`$ runner ${args.join(' ')}`)
  const output = process.stdout.isTTY ? 'inherit' : 'ignore'
  const child = spawn(process.execPath, [RUNNER, ...args, ...JOBS], {
    cwd: folder,
    stdio: ['ignore', output, 'inherit'],
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code
}
