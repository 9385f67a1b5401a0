/** The server's clock: the one that all hosts can be held against. */
import type { Client } from './client.ts'

/** Milliseconds since the epoch, by the server. */
export async function serverTime(client: Pick<Client, 'time'>): Promise<number> {
  const [seconds, micros] = await client.time()
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
}

export interface ClockReading {
  /** Milliseconds since the epoch, by the server. */
  now: number
  /**
   * How much this host's clock is ahead of the server's, in whole milliseconds; negative: behind. It is off by at
   * least so much: what the way to the server and back may explain is taken out, so a slow answer is no skew.
   */
  skew: number
}

export async function readClock(client: Pick<Client, 'time'>): Promise<ClockReading> {
  const before = Date.now()
  const now = await serverTime(client)
  const after = Date.now()
  // The answer was given somewhere between the two.
  const skew = before > now ? before - now : Math.min(0, after - now)
  return { now, skew }
}
