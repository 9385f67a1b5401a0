/** `runner queues scale <queue> <n>`: how many jobs of a queue run at once, in all replicas together. */
import type { Command } from 'commander'
import { RunnerError } from '../../errors.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { steerQueues } from './steer.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument('<queue>', 'as runner queues list has it')
    .argument('<n>', 'a whole number from 1, or off: no limit but that of the replicas')
    .action(async (name: string, given: string) => {
      const limit = read(given)
      await steerQueues(context, [name], async queue => {
        const before = (await queue.getGlobalConcurrency()) ?? null
        if (limit === null) await queue.removeGlobalConcurrency()
        else await queue.setGlobalConcurrency(limit)
        return { said: `${before ?? 'off'} -> ${limit ?? 'off'}`, data: { before, now: limit } }
      })
    })
  addHelp(
    command,
    [
      ['runner queues scale reports 4', 'whatever the number of replicas'],
      ['runner queues scale reports off'],
    ],
    ['ok', 'usage', 'redis', 'notFound'],
  )
}

function read(text: string): number | null {
  if (text === 'off') return null
  if (/^\d+$/.test(text) && Number(text) >= 1) return Number(text)
  throw new RunnerError('USAGE', `expected a whole number from 1, or off, got ${text}`, {
    hint: 'to stop a queue: runner queues pause',
  })
}
