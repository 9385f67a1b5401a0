/**
 * What manifests must hold beyond their schema: that they fit each other, the replicas that they start, and what these
 * take to start and stop. Of our own, and of those that somebody wrote.
 */
import type { Config } from '../config.ts'
import { documentsOf, type Document } from './documents.ts'
import {
  imageComplaints,
  memoryComplaints,
  processComplaints,
  securityComplaints,
} from './policy/container.ts'
import { livenessComplaints, probeComplaints } from './policy/probes.ts'
import { referenceComplaints } from './policy/references.ts'
import type { Complaint, Rule, World } from './policy/rule.ts'
import { scalingComplaints } from './policy/scaling.ts'
import { selectorComplaints } from './policy/selectors.ts'
import { flagComplaints, queueComplaints, redisComplaints, variableComplaints } from './policy/settings.ts'
import { graceComplaints } from './policy/times.ts'
import { podMakersOf, workloadsOf } from './workload.ts'

export const RULES: Record<string, Rule> = {
  queues: { expected: 'each queue is worked', check: queueComplaints },
  flags: { expected: 'flags and variables that runner knows', check: flagComplaints },
  variables: { expected: 'each variable once', check: variableComplaints },
  REDIS_URL: { expected: 'from a Secret', check: redisComplaints },
  termination: { expected: 'the grace of the replica, 10s and 5s', check: graceComplaints },
  probes: { expected: '/startupz, /readyz and /livez, at the port of --http', check: probeComplaints },
  liveness: { expected: 'a restart later than lockDuration', check: livenessComplaints },
  selectors: { expected: 'the pods that are meant', check: selectorComplaints },
  references: { expected: 'objects that are there', check: referenceComplaints },
  scaling: { expected: 'one autoscaler, by the number of replicas', check: scalingComplaints },
  image: { expected: 'a version, or a digest', check: imageComplaints },
  'process 1': { expected: 'the replica itself', check: processComplaints },
  'memory limit': { expected: 'a limit', check: memoryComplaints },
  security: { expected: 'not root, read-only, no capabilities, seccomp', check: securityComplaints },
}

export interface KnownQueues {
  /** That jobs name: each is to be worked. None: it is not known. */
  queues?: readonly string[]
  /** Others that there are. */
  seen?: readonly string[]
}

export function worldOf(
  documents: readonly Document[],
  config: Config,
  { queues = [], seen = [] }: KnownQueues = {},
): World {
  const makers = podMakersOf(documents)
  return { documents, makers, workloads: workloadsOf(makers), config, queues, seen }
}

/** All complaints about objects that are at hand. */
export function complaintsOf(objects: readonly object[], config: Config): Complaint[] {
  const world = worldOf(documentsOf(objects), config)
  return Object.values(RULES).flatMap(({ check }) => [...check(world)])
}
