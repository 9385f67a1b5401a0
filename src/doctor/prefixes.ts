/** Jobs that wait under another prefix than the one that is worked: a producer and its workers that never meet. */
import { readContents, type QueueContents } from '../redis/queue-contents.ts'
import type { FoundQueue } from '../redis/queue-scan.ts'
import { Replicas } from '../redis/replicas.ts'
import { bad, ok, type Finding, type Judgement } from './finding.ts'
import type { Survey } from './survey.ts'

const CHECK = 'prefix'

export async function prefixFindings(survey: Survey): Promise<Finding[]> {
  const { prefix, others, complete, queues } = survey
  const expected = `no job waits under another prefix than ${prefix}`
  const byPrefix = Map.groupBy(others, found => found.prefix)
  const judged = await Promise.all(
    [...byPrefix].map(async ([other, found]) => judgePrefix(other, found, survey)),
  )
  const findings = judged.flat()
  if (findings.length === 0)
    findings.push({ check: CHECK, queue: null, ...ok(expected, `none of ${byPrefix.size}`) })
  if (!complete) {
    const actual = `${queues.length + others.length} queues are known: there are too many keys to see all, or SCAN is forbidden`
    const fix = 'ACL SETUSER <name> +scan, or name a queue: runner doctor <queue>'
    findings.push({ check: CHECK, queue: null, ...bad('unknown', 'a look at all keys', actual, fix) })
  }
  return findings
}

interface Waiting {
  contents: QueueContents
  /** undefined: it cannot be told. */
  isWorked: boolean | undefined
}

async function judgePrefix(other: string, found: FoundQueue[], survey: Survey): Promise<Finding[]> {
  const waiting = await waitingUnder(other, found, survey)
  if (waiting.length === 0) return []
  const lost = waiting.filter(({ isWorked }) => isWorked !== true)
  if (survey.queues.length === 0)
    return [{ check: CHECK, queue: null, ...nothingHere(other, waiting, lost.length > 0, survey.prefix) }]
  return lost.map(({ contents, isWorked }) => {
    const own = survey.queues.find(({ queue }) => queue === contents.queue)
    return { check: CHECK, queue: contents.queue, ...judgeLost(contents, isWorked, own, survey.prefix) }
  })
}

async function waitingUnder(other: string, found: FoundQueue[], survey: Survey): Promise<Waiting[]> {
  const { client, workers, now } = survey
  const live = await new Replicas(client, other).list()
  const all = await Promise.all(found.map(({ queue }) => readContents(client, other, queue, now)))
  return all.filter(isPending).map(contents => {
    const { queue } = contents
    const isWorked = contents.isHeld || live.some(({ queues }) => Object.hasOwn(queues, queue))
    return {
      contents,
      isWorked: isWorked || (workers === undefined ? undefined : workers.of(other, queue) > 0),
    }
  })
}

const isPending = ({ waiting, due }: QueueContents): boolean => waiting + due > 0

/** Nothing at all under the prefix that was asked about: it is this one that is wrong, most likely. */
function nothingHere(other: string, waiting: Waiting[], isLost: boolean, prefix: string): Judgement {
  const jobs = waiting.reduce((sum, { contents }) => sum + contents.waiting + contents.due, 0)
  const queues = waiting.map(({ contents }) => contents.queue).join(', ')
  const actual = `no queue at all; ${jobs} wait under ${other}: ${queues}`
  return bad(isLost ? 'error' : 'warning', `jobs under prefix ${prefix}`, actual, `--prefix ${other}`)
}

function judgeLost(
  { prefix: other, queue, waiting, due }: QueueContents,
  isWorked: boolean | undefined,
  own: QueueContents | undefined,
  prefix: string,
): Judgement {
  const told = `${waiting + due} wait under ${other}, which nobody works`
  // Somebody else's, perhaps: there is no queue of this name here.
  if (own === undefined) {
    const fix = `--prefix ${other} for a replica that works ${queue}, or remove them`
    return bad('warning', `no job waits under another prefix than ${prefix}`, told, fix)
  }
  const isEmpty = !isPending(own) && own.delayed === 0
  const actual = isEmpty ? `${told}; none under ${prefix}` : told
  const fix = `prefix: '${prefix}' in the producer's Queue, or --prefix ${other} for its replicas`
  // That nobody works them is not certain when connections may not be listed.
  const level = isEmpty && isWorked === false ? 'error' : 'warning'
  return bad(level, `jobs of this queue under prefix ${prefix}`, actual, fix)
}
