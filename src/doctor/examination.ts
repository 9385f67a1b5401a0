/**
 * All that the doctor looks at. A look that fails is a finding like any other: the rest is looked at all the same.
 * Reads only.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { messageOf } from '../errors.ts'
import type { RedisHandle } from '../redis/connection.ts'
import { closest } from '../suggestion.ts'
import { clockFindings } from './clocks.ts'
import { queueFacts } from './facts.ts'
import { bad, type Finding, type Judgement } from './finding.ts'
import { handlerFindings } from './handlers.ts'
import { manifestFindings, type GivenManifest } from './manifest.ts'
import { prefixFindings } from './prefixes.ts'
import { schedulerFindings } from './schedulers.ts'
import { serverFindings } from './server.ts'
import { stallFindings } from './stall-settings.ts'
import { surveyOf, type Survey } from './survey.ts'
import { unworkedFindings } from './unworked.ts'

/** A Redis that goes away is waited for by its clients; a doctor says so. Milliseconds. */
const PATIENCE = 15_000

/** Each is looked at, whatever becomes of the others. */
const LOOKS: Record<string, (survey: Survey) => Finding[] | Promise<Finding[]>> = {
  clocks: clockFindings,
  prefixes: prefixFindings,
  workers: unworkedFindings,
  handlers: handlerFindings,
  schedulers: schedulerFindings,
  settings: async survey => (await queueFacts(survey)).flatMap(stallFindings),
}

export interface ExaminationOptions {
  redis: RedisHandle
  config: Config
  /** Names of the job files of this folder. */
  files: readonly string[]
  /** Leaves out what is about other queues. */
  only: string | undefined
  /** Of Kubernetes, to be held against what there is. */
  manifest?: GivenManifest
}

export async function examine({
  redis,
  config,
  files,
  only,
  manifest,
}: ExaminationOptions): Promise<Finding[]> {
  const client = redis.connect('doctor')
  // Alone, as what else is asked would be in the way of its pings.
  const [ofServer, unreached] = await attempt('server', () => serverFindings(redis, client))
  const [survey, unseen] = await attempt('queues', () =>
    surveyOf({ client, config, prefix: redis.prefix, files, only }),
  )
  if (survey === undefined) return [...(ofServer ?? unreached), ...unseen]
  const looks = await Promise.all(
    Object.entries(manifest === undefined ? LOOKS : { ...LOOKS, ...looksAt(manifest) }).map(([name, look]) =>
      attempt(name, async () => look(survey)),
    ),
  )
  const strange = only === undefined ? [] : strangeQueue(only, survey.queues)
  const all = [
    ofServer ?? unreached,
    ...looks.map(([findings, failed]) => findings ?? failed),
    strange,
  ].flat()
  return all.filter(({ queue }) => only === undefined || queue === null || queue === only)
}

const looksAt = (manifest: GivenManifest): typeof LOOKS => ({
  manifest: survey => manifestFindings(survey, manifest),
})

/** What came of it, or a finding that says why nothing did. */
async function attempt<T>(name: string, look: () => Promise<T>): Promise<[T, []] | [undefined, [Finding]]> {
  const over = new AbortController()
  try {
    const late = delay(PATIENCE, undefined, { signal: over.signal }).then(() => {
      throw new Error(`none within ${PATIENCE / 1_000}s`)
    })
    return [await Promise.race([look(), late]), []]
  } catch (error) {
    return [undefined, [{ check: name, queue: null, ...judgeFailure(error) }]]
  } finally {
    over.abort()
  }
}

/** Redis names the user in what it refuses; the command is enough. */
function judgeFailure(error: unknown): Judgement {
  const message = messageOf(error)
  const [, command] = /^NOPERM .*'([^']+)' command/.exec(message) ?? []
  if (command !== undefined)
    return bad('unknown', 'an answer', `this user may not run ${command}`, `ACL SETUSER <name> +${command}`)
  const actual = message.startsWith('NOPERM') ? 'this user may not read a key that it takes' : message
  return bad('unknown', 'an answer', actual, 'mend that, and ask again')
}

/** Somebody asked about a queue that there is no sign of. */
function strangeQueue(only: string, queues: readonly { queue: string }[]): Finding[] {
  const names = queues.map(({ queue }) => queue)
  if (names.includes(only)) return []
  const near = closest(only, names)
  const fix = near === undefined ? 'see which there are: runner doctor --all' : `did you mean ${near}?`
  return [{ check: 'queue', queue: only, ...bad('warning', 'a queue', 'nothing is known of it', fix) }]
}
