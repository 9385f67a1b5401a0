/** `runner queues resume`: jobs of the queue are taken again. */
import type { Command } from 'commander'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { steerQueues } from './steer.ts'

export function define(command: Command, context: CliContext): void {
  command.argument('<queue...>', 'as runner queues list has them').action(async (names: string[]) =>
    steerQueues(context, names, async queue => {
      await queue.resume()
      return { said: 'open', data: { paused: false } }
    }),
  )
  addHelp(command, [['runner queues resume mail']], ['ok', 'usage', 'redis', 'notFound'])
}
