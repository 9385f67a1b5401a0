/** Replicas that are killed and frozen at random while they work, and replaced. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Replica, type ReplicaOptions } from './replica.ts'

export interface Chaos {
  replicas: number
  /** Of each, while it goes on. */
  kills: number
  freezes: number
  /** How long one is frozen. Milliseconds. */
  frozenFor: number
}

export interface Disturbed extends AsyncDisposable {
  kills: number
  freezes: number
}

/** Returns when all faults were inflicted, or `isOver` says that there is nothing left to disturb. */
export async function disturb(
  options: ReplicaOptions,
  { replicas: count, kills, freezes, frozenFor }: Chaos,
  isOver: () => Promise<boolean>,
): Promise<Disturbed> {
  const start = () => Replica.start(options)
  const replicas = await Promise.all(Array.from({ length: count }, start))
  const done = { kills: 0, freezes: 0 }
  while ((done.kills < kills || done.freezes < freezes) && !(await isOver())) {
    await sleep(100 + Math.random() * 500)
    const place = Math.floor(Math.random() * replicas.length)
    const victim = replicas[place] as Replica
    // Spread evenly: both end at about the same time.
    if (done.freezes * kills < done.kills * freezes || done.kills >= kills) {
      victim.kill('SIGSTOP')
      await sleep(frozenFor)
      victim.kill('SIGCONT')
      done.freezes++
    } else {
      victim.kill('SIGKILL')
      await victim.ended
      replicas[place] = await start()
      done.kills++
    }
  }
  return {
    ...done,
    async [Symbol.asyncDispose]() {
      for (const replica of replicas) await replica[Symbol.asyncDispose]()
    },
  }
}
