/** The probes of a replica, asked as an orchestrator does. */
import type { Replica } from './replica.ts'

export interface Answer {
  status: number
  said: string
  /** Milliseconds that it took. */
  ms: number
}

/** Of a replica that was started with --http. */
export async function proberOf(replica: Replica): Promise<(path: string) => Promise<Answer>> {
  const { url } = await replica.event('http.listening')
  return async path => {
    const asked = performance.now()
    const answer = await fetch(`${String(url)}${path}`)
    const said = (await answer.text()).trim()
    return { status: answer.status, said, ms: performance.now() - asked }
  }
}
