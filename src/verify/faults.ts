/** What is done to replicas while they run canaries. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Act } from './canary.ts'
import type { Replica } from './replica.ts'

export const FAULTS = ['block', 'kill', 'freeze', 'term', 'cut', 'memory'] as const

export type Fault = (typeof FAULTS)[number]

export interface Canary {
  name: 'canary' | 'blocker' | 'hog'
  act: Act
  /** It is meant to fail. */
  doomed?: true
}

/** What a fault may use. */
export interface Stage {
  /** Milliseconds. */
  lockDuration: number
  /** One that runs some canaries. */
  victim(): Promise<Replica>
  /** Writes into the journal that the fault begins, or ends, at this replica. */
  mark(what: 'fault' | 'mended', replica: Replica): Promise<void>
}

/** Faults that no lock survives: they last for three lock durations. */
const LASTING = 3

/** Those after which a replica has to be replaced. */
export const ENDS: ReadonlySet<Fault> = new Set<Fault>(['kill', 'term'])

/** The canaries of these faults: mostly short ones, and some that are longer than the grace of a replica that is told to stop. */
export function canariesOf(faults: readonly Fault[], jobs: number, lockDuration: number): Canary[] {
  const canaries: Canary[] = Array.from({ length: jobs }, (_, i) => ({
    name: 'canary',
    act: { kind: 'sleep', ms: i % 4 === 0 ? 2_500 : 300 + ((i * 97) % 600) },
  }))
  if (faults.includes('block'))
    canaries[1] = { name: 'blocker', act: { kind: 'block', ms: LASTING * lockDuration } }
  if (faults.includes('memory')) canaries[2] = { name: 'hog', act: { kind: 'memory', ms: 0 }, doomed: true }
  return canaries
}

/** Resolves when it is over; what ended has to be replaced then. */
export const INFLICT: Record<Fault, (stage: Stage) => Promise<void>> = {
  // Canaries do these.
  block: async () => undefined,
  memory: async () => undefined,
  kill: async stage => {
    const victim = await stage.victim()
    await stage.mark('fault', victim)
    victim.kill('SIGKILL')
    await victim.exited
  },
  term: async stage => {
    const victim = await stage.victim()
    await stage.mark('fault', victim)
    victim.kill('SIGTERM')
    await victim.exited
  },
  freeze: async stage => {
    const victim = await stage.victim()
    await stage.mark('fault', victim)
    victim.kill('SIGSTOP')
    await sleep(LASTING * stage.lockDuration)
    victim.kill('SIGCONT')
    await stage.mark('mended', victim)
  },
  cut: async stage => {
    const victim = await stage.victim()
    await stage.mark('fault', victim)
    victim.proxy.cut()
    await sleep(LASTING * stage.lockDuration)
    victim.proxy.mend()
    await stage.mark('mended', victim)
  },
}
