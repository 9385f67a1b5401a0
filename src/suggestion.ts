/** "Did you mean": the nearest known name, if one is near enough to be a slip of the fingers. */
import leven from 'leven'

/** The candidate at the least edit distance, when that is 1 (up to 3 letters), 2 (up to 8) or 3. */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  const limit = name.length <= 3 ? 1 : name.length <= 8 ? 2 : 3
  let best: string | undefined
  let least = limit + 1
  for (const candidate of candidates) {
    const distance = leven(name.toLowerCase(), candidate.toLowerCase(), { maxDistance: least })
    // A name that shares no letter with a short candidate is as near as an empty one: no suggestion.
    if (distance < least && distance < candidate.length) {
      best = candidate
      least = distance
    }
  }
  return best
}

/** A hint for `RunnerError`, or nothing to add. */
export function didYouMean(name: string, candidates: Iterable<string>): { hint?: string } {
  const suggestion = closest(name, candidates)
  return suggestion === undefined ? {} : { hint: `did you mean ${suggestion}?` }
}
