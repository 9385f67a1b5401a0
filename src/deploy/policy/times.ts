/** A pod is given the time that its replica takes to stop. */
import { at, list, number } from '../documents.ts'
import { settingOf } from '../invocation.ts'
import { LONGEST_TERMINATION, terminationSeconds } from '../timing.ts'
import type { Workload } from '../workload.ts'
import { error, warning, type Complaint, type World } from './rule.ts'

/** Where nothing is said. Seconds. */
const TERMINATION_DEFAULT = 30

/** Seconds that a replica of it has between TERM and KILL: what `preStop` sleeps is part of the whole. */
function terminationOf({ pod, container }: Workload): { given: number; slept: number } {
  const given = number(pod['terminationGracePeriodSeconds']) ?? TERMINATION_DEFAULT
  const words = list(at(container, 'lifecycle.preStop.exec.command')).join(' ')
  const [, word = '0'] = /\bsleep (\d+)/.exec(words) ?? []
  return { given, slept: number(at(container, 'lifecycle.preStop.sleep.seconds')) ?? Number(word) }
}

export function* graceComplaints({ workloads, config }: World): Generator<Complaint> {
  for (const workload of workloads) {
    if (workload.run.verb !== 'work') continue
    const grace = settingOf(workload.run, 'grace', config)
    const wanted = terminationSeconds(grace, settingOf(workload.run, 'abortGrace', config))
    const { given, slept } = terminationOf(workload)
    const shown = slept === 0 ? `${given}` : `${given}, of which preStop sleeps ${slept}`
    if (given - slept < wanted) {
      const told = `terminationGracePeriodSeconds ${shown}: a replica is killed before its grace of ${grace / 1_000}s is over, and its jobs wait until their locks run out`
      yield error(workload, told, `terminationGracePeriodSeconds: ${wanted + slept}`)
    }
    if (given > LONGEST_TERMINATION && !workload.endsByItself) {
      const told = `terminationGracePeriodSeconds ${given}: a node that is drained waits ${LONGEST_TERMINATION}s`
      yield warning(workload, told, 'a ScaledJob for such jobs, or checkpoints and a shorter grace')
    }
  }
}
