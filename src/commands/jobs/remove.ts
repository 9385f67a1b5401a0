/** `runner jobs remove`: jobs are forgotten, with their logs and children. Not those that run. */
import type { Command } from 'commander'
import { removeJob } from '../../inspector/changes.ts'
import { Quarantine } from '../../redis/quarantine.ts'
import type { CliContext } from '../verbs.ts'
import { defineSteer } from './steer.ts'

export function define(command: Command, context: CliContext): void {
  defineSteer(command, context, {
    verb: 'remove',
    past: 'removed',
    states: ['waiting', 'prioritized', 'delayed', 'waiting-children', 'failed', 'completed'],
    examples: [
      ['runner jobs remove 4711', 'there is no way back'],
      ['runner jobs remove --queue mail --state failed --since 1d --dry-run'],
    ],
    open: (redis, inspector) => {
      const quarantine = new Quarantine(inspector.client, redis.prefix)
      let quarantined: Promise<ReadonlySet<string>> | undefined
      return {
        change: async ({ queue, state }, id) => {
          const changed = await removeJob(inspector.client, inspector.queue(queue), id, state)
          quarantined ??= quarantine.ids()
          if (changed.gone !== true && (await quarantined).has(`${queue}:${id}`))
            await quarantine.remove({ queue, id })
          return changed
        },
      }
    },
  })
}
