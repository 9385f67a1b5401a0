/** `runner queues pause`: no worker takes a job of the queue, in any replica. */
import type { Command } from 'commander'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { steerQueues } from './steer.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument('<queue...>', 'jobs that run go on; jobs can still be added')
    .action(async (names: string[]) =>
      steerQueues(context, names, async queue => {
        await queue.pause()
        return { said: 'paused', data: { paused: true } }
      }),
    )
  addHelp(
    command,
    [['runner queues pause mail', 'until runner queues resume'], ['runner queues pause mail reports']],
    ['ok', 'usage', 'redis', 'notFound'],
  )
}
