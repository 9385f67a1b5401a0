/** One of several that apply the same schedules in the same moment, round after round: `node apply-process.ts <port> <rounds>`. */
import { Redis } from 'ioredis'
import { Redaction } from '../../src/job/redaction.ts'
import { applyPlan } from '../../src/schedule/apply.ts'
import { planOf } from '../../src/schedule/plan.ts'
import { Schedulers } from '../../src/schedule/schedulers.ts'
import { declaration } from './declaration.ts'

const [port = 0, rounds = 0] = process.argv.slice(2).map(Number)
const client = new Redis({ port, maxRetriesPerRequest: null })
const schedulers = new Schedulers(client, 'bull')

/** What the files say in one round: new, changed in all that can change, and gone. */
function declaredIn(round: number) {
  const args = { round }
  const all = [
    declaration({ job: 'cron', cron: round % 2 === 0 ? '* * * * * *' : '*/2 * * * * *', args }),
    declaration({ job: 'far', cron: '0 3 * * *', args }),
    declaration({ job: 'every', every: 1_000 * (1 + (round % 2)), args }),
    declaration({ job: 'same', every: 3_600_000, args }),
  ]
  return round % 5 === 4 ? all.slice(2) : all
}

for (let round = 0; round < rounds; round++) {
  // All of them wait here, and are let go by one command.
  await client.blpop(`go:${round}`, 60)
  const steps = planOf(declaredIn(round), await schedulers.list(['default']), {
    owner: 'shop',
    redaction: new Redaction([]),
  })
  await applyPlan(steps, schedulers, { owner: 'shop', prune: true })
  await client.rpush(`done:${round}`, 1)
}
client.disconnect()
