/** Names that are not in any definition: of job files, of the config file, of a ledger, of Redis. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { loadConfigFile } from '../../config-file.ts'
import { databasesOf, type Config } from '../../config.ts'
import { OPTIONS } from '../../options.ts'
import type { Client } from '../../redis/client.ts'
import { jobFiles } from '../../enqueue/job-files.ts'
import type { CliContext } from '../verbs.ts'

interface LiveQuestion {
  /** With the flags that were typed so far. */
  command: Command
  context: CliContext
  /** As soon as a value is known: what comes too late is not waited for. */
  offer: (value: string, about?: string) => void
}

/** For a Redis or a database, once what speaks to it is loaded. Milliseconds. */
const PATIENCE = 1_000

type LiveValues = (question: LiveQuestion) => Promise<void>

/** By the name of an argument or a flag; where one means something else to a verb, with the verb before it. */
const SOURCES: Record<string, LiveValues> = {
  setting: async ({ offer }) => Object.entries(OPTIONS).forEach(([key, { about }]) => offer(key, about)),
  job: jobNames,
  migration: jobNames,
  run: runs,
  queue: queues,
  replica: replicas,
  id: jobIds,
  '--queue': queues,
  '--replica': replicas,
  '--job': jobNames,
  '--name': jobNames,
  '--profile': profiles,
  'fleet pardon job': blockers,
  'jobs release id': quarantined,
}

/** Undefined: nothing is known of what may stand there. */
export function liveValues(verb: string, name: string): LiveValues | undefined {
  const key = [`${verb} ${name}`, name].find(one => Object.hasOwn(SOURCES, one))
  return key === undefined ? undefined : SOURCES[key]
}

/** No file is imported; what the handlers of an application are named is not known without that. */
async function jobNames({ context, offer }: LiveQuestion): Promise<void> {
  for (const { name, kind } of jobFiles(await context.config()).files) if (kind !== 'application') offer(name)
}

async function profiles({ command, offer }: LiveQuestion): Promise<void> {
  const { config: file } = command.optsWithGlobals<{ config?: string }>()
  for (const name of Object.keys((await loadConfigFile(process.cwd(), file)).profiles)) offer(name)
}

/** Runs, and the migrations they are of. */
async function runs({ context, offer }: LiveQuestion): Promise<void> {
  const databases = databasesOf(await context.config())
  const { runNames } = await import('../../migration/run-names.ts')
  const looks = Object.keys(databases).map(async database => {
    for (const { id, name, state } of await runNames(database, databases)) {
      offer(id, state)
      offer(name)
    }
  })
  await Promise.race([Promise.allSettled(looks), delay(PATIENCE)])
}

async function queues({ context, offer }: LiveQuestion): Promise<void> {
  await inRedis(context, async (client, { prefix }) => {
    const { queueNames } = await import('../../redis/queue-names.ts')
    const { Replicas } = await import('../../redis/replicas.ts')
    await Promise.allSettled([
      // At once, while a large Redis is still searched.
      new Replicas(client, prefix)
        .list()
        .then(live => live.forEach(replica => Object.keys(replica.queues).forEach(queue => offer(queue)))),
      queueNames(client, prefix).then(names => names.forEach(name => offer(name))),
    ])
  })
}

async function replicas({ context, offer }: LiveQuestion): Promise<void> {
  await inRedis(context, async (client, { prefix }) => {
    const { Replicas } = await import('../../redis/replicas.ts')
    for (const { id, running } of await new Replicas(client, prefix).list()) offer(id, `${running} running`)
  })
}

/** Of the queue that was typed, or of a few. */
async function jobIds({ command, context, offer }: LiveQuestion): Promise<void> {
  const typed = [command.getOptionValue('queue') ?? []].flat() as string[]
  await inRedis(context, async (client, { prefix }) => {
    const { queueNames } = await import('../../redis/queue-names.ts')
    const { recentJobIds } = await import('../../redis/job-ids.ts')
    const named = typed.length > 0 ? typed : (await queueNames(client, prefix)).slice(0, FEW)
    await Promise.all(
      named.map(async queue => {
        for (const { id, state } of await recentJobIds(client, prefix, queue))
          offer(id, `${state} in ${queue}`)
      }),
    )
  })
}

const FEW = 5

async function blockers({ context, offer }: LiveQuestion): Promise<void> {
  await inRedis(context, async (client, { prefix }) => {
    const { Blockers } = await import('../../redis/blockers.ts')
    for (const { job, where } of (await new Blockers(client, prefix).list()).values()) offer(job, where)
  })
}

async function quarantined({ context, offer }: LiveQuestion): Promise<void> {
  await inRedis(context, async (client, { prefix }) => {
    const { Quarantine } = await import('../../redis/quarantine.ts')
    for (const { id, job, cause } of await new Quarantine(client, prefix).list())
      offer(id, `${job}: ${cause}`)
  })
}

async function inRedis(
  context: CliContext,
  look: (client: Client, config: Config) => Promise<void>,
): Promise<void> {
  const config = await context.config()
  const { glanceAt } = await import('../../redis/glance.ts')
  await Promise.race([glanceAt(config, client => look(client, config)), delay(PATIENCE)])
}
