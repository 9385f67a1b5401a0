/** `runner jobs cancel`: also jobs that run, in any replica. */
import type { Command } from 'commander'
import { Cancellations, type Cancellation } from '../../fleet/cancellation.ts'
import { Operator } from '../../fleet/operator.ts'
import { formatMilliseconds } from '../../units.ts'
import { userName } from '../user-name.ts'
import type { CliContext } from '../verbs.ts'
import { defineSteer } from './steer.ts'

export function define(command: Command, context: CliContext): void {
  command.option('--reason <text>', 'kept with the job; default: by whom')
  defineSteer(command, context, {
    verb: 'cancel',
    past: 'cancelled',
    states: ['active', 'waiting', 'prioritized', 'delayed', 'waiting-children'],
    examples: [
      ['runner jobs cancel 4711', 'its signal aborts; after --abort-grace its executor ends'],
      ['runner jobs cancel 4711 --queue reports --reason "wrong customer"'],
      ['runner jobs cancel --queue mail --state delayed --name newsletter --dry-run'],
    ],
    exits: ['noReplica'],
    open: (redis, inspector) => {
      const operator = new Operator(redis)
      const { reason = `by ${userName()}` } = command.opts<{ reason?: string }>()
      const cancellations = new Cancellations(operator, inspector.client, reason)
      return {
        change: async ({ queue }, id) => {
          const { how, ...rest } = await cancellations.cancel(inspector.queue(queue), id)
          if (how === 'gone') return { gone: true }
          return { said: textOf({ how, ...rest } as Cancellation), data: { how, ...rest } }
        },
        [Symbol.asyncDispose]: () => operator[Symbol.asyncDispose](),
      }
    },
  })
}

function textOf(cancellation: Cancellation): string {
  if (!('replica' in cancellation)) return 'marked: the next worker that takes it fails it without running it'
  const { how, job, replica, ms } = cancellation
  const took = formatMilliseconds(ms)
  if (how === 'completed') return `${job} completed on ${replica} before it could be stopped`
  if (how === 'not-started') return `${job} was not started yet on ${replica}`
  return `${job} was ${how} on ${replica} within ${took}`
}
