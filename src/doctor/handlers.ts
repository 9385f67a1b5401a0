/** Jobs whose name no live replica of their queue has a handler for: they fail when they are taken, or have failed. */
import type { SampledJob } from '../redis/queue-contents.ts'
import { closest } from '../suggestion.ts'
import { bad, ok, type Finding, type Judgement } from './finding.ts'
import { takersOf, type Survey, type SurveyedQueue } from './survey.ts'

const CHECK = 'handlers'
/** What a replica writes when it fails such a job (fleet/unknown-job.ts). */
const REFUSED = /^NoHandlerError\b/

export function handlerFindings(survey: Survey): Finding[] {
  return survey.queues.flatMap(contents => {
    const { queue, sample } = contents
    const known = handlersOf(survey, queue)
    if (known === undefined) return []
    const of = `(in ${scope(contents)})`
    const wrong = [...Map.groupBy(sample, ({ name }) => name)].flatMap(([name, jobs]) => {
      const judgement = known.has(name)
        ? judgeKnown(name, jobs, of)
        : judgeUnknown(name, jobs, of, adviceOn(name, known, survey.files))
      return judgement === undefined ? [] : [{ check: CHECK, queue, ...judgement }]
    })
    if (wrong.length > 0) return wrong
    return [{ check: CHECK, queue, ...ok('a handler for each job', `one for each ${of}`) }]
  })
}

/** Names that the live replicas of a queue have handlers for; undefined: none is live, so it cannot be told. */
export function handlersOf(survey: Survey, queue: string): Set<string> | undefined {
  const { replicas } = takersOf(survey, queue)
  return replicas.length === 0 ? undefined : new Set(replicas.flatMap(({ jobs }) => jobs))
}

/** Where the handler may come from. */
export function adviceOn(name: string, known: ReadonlySet<string>, files: readonly string[]): string {
  if (files.includes(name)) return `this folder has ${name}: start or deploy replicas of it (runner work)`
  const near = closest(name, [...known, ...files])
  const slip = near === undefined ? '' : `did the producer mean ${near}? `
  return `${slip}no job file here is named ${name}: add it, or remove the jobs`
}

function judgeUnknown(name: string, jobs: SampledJob[], of: string, advice: string): Judgement {
  const pending = jobs.filter(({ state }) => state !== 'failed').length
  const refused = jobs.filter(({ failedReason }) => REFUSED.test(failedReason)).length
  const failed = jobs.length - pending - refused
  const told = [
    pending > 0 && `${pending} wait and will fail`,
    refused > 0 && `${refused} failed for it`,
    failed > 0 && `${failed} failed before`,
  ].filter(part => part !== false)
  const actual = `none: ${told.join(', ')} ${of}`
  const expected = `a replica with a handler named ${name}`
  // What failed while there was a handler is history, until somebody retries it.
  return bad(pending + refused > 0 ? 'error' : 'warning', expected, actual, advice)
}

/** The handler came too late for some. */
function judgeKnown(name: string, jobs: SampledJob[], of: string): Judgement | undefined {
  const refused = jobs.filter(({ failedReason }) => REFUSED.test(failedReason)).length
  if (refused === 0) return undefined
  const actual = `there is one now, but ${refused} failed when there was none ${of}`
  return bad('warning', `a replica with a handler named ${name}`, actual, 'retry these jobs, or remove them')
}

function scope({ waiting, delayed, due, failed, sample }: SurveyedQueue): string {
  const all = waiting + delayed + due + failed
  // Some may have come or gone between the two looks.
  return sample.length >= all
    ? `${all} ${all === 1 ? 'job' : 'jobs'}`
    : `a sample of ${sample.length} of ${all} jobs`
}
