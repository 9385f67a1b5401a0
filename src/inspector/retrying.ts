/** Failed jobs wait again; not those in quarantine, which would fail once more without being run. */
import { RunnerError } from '../errors.ts'
import { Quarantine } from '../redis/quarantine.ts'
import type { BulkTarget, Changed } from './bulk.ts'
import { retryJob } from './changes.ts'
import type { Inspector } from './inspector.ts'

/** What is in quarantine is looked up once. */
export function retrying(inspector: Inspector): (target: BulkTarget, id: string) => Promise<Changed> {
  let quarantined: Promise<ReadonlySet<string>> | undefined
  return async ({ queue, state }, id) => {
    quarantined ??= new Quarantine(inspector.client, inspector.prefix).ids()
    if ((await quarantined).has(`${queue}:${id}`))
      throw new RunnerError('JOB_STATE_WRONG', 'it is in quarantine, and would fail without being run', {
        hint: `runner queues quarantine says why, runner jobs release ${id} lets it run again`,
      })
    return retryJob(inspector.queue(queue), id, state === 'completed' ? state : 'failed')
  }
}
