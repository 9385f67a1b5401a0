/**
 * Whether an executor's event loop turns: a counter in shared memory that its loop raises, and that somebody else
 * looks at without having to ask. Costs a timer that sets one word.
 */

/** Milliseconds between two beats. */
export const BEAT = 100

/** The memory of one counter; crosses to a thread. */
export const beatMemory = (): SharedArrayBuffer => new SharedArrayBuffer(4)

/** From inside: beats as long as the loop of this thread turns. */
export function startBeat(memory: SharedArrayBuffer): void {
  const counter = new Int32Array(memory)
  setInterval(() => Atomics.add(counter, 0, 1), BEAT).unref()
}

/** From outside: the counter, which changes at least every `BEAT` while the loop turns. */
export function readBeat(memory: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(memory), 0)
}
