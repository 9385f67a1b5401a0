/**
 * Ids of jobs in flows: `name~flow~place`, as in `emails/send~k3v9x2m1qa~7`.
 *
 * A parent asks for its children when they are done, and some of them are gone from Redis by then (removeOnComplete):
 * all that it still has are their ids and what they returned. So the ids say what job it was, and in which order they
 * stood. No job name has a "~".
 */
import { randomInt } from 'node:crypto'

const LETTERS = 10
const OURS = new RegExp(`^(.+)~[0-9a-z]{${LETTERS}}~(\\d+)$`)

export interface FlowPlace {
  name: string
  /** Among all jobs of the flow, a parent before its children; 0 is the root. */
  place: number
}

/** No two flows are alike: one of 36^10. */
export function flowToken(): string {
  return Array.from({ length: LETTERS }, () => randomInt(36).toString(36)).join('')
}

export function flowId({ name, place }: FlowPlace, token: string): string {
  return `${name}~${token}~${place}`
}

/** `undefined` for an id that somebody chose. */
export function placeOf(id: string): FlowPlace | undefined {
  const [, name, place] = OURS.exec(id) ?? []
  return name === undefined ? undefined : { name, place: Number(place) }
}

/** In the order of the flow; chosen ids last. */
export function byPlace(a: { id: string }, b: { id: string }): number {
  const [x, y] = [a, b].map(({ id }) => placeOf(id)?.place ?? Infinity) as [number, number]
  return x === y ? (a.id < b.id ? -1 : 1) : x - y
}
