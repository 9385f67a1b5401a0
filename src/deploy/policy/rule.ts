/** What a manifest must hold. */
import type { Config } from '../../config.ts'
import type { Document } from '../documents.ts'
import type { PodMaker, Workload } from '../workload.ts'

export interface Complaint {
  /** 'Deployment/mail'. */
  object: string
  level: 'warning' | 'error'
  /** What is so instead. */
  actual: string
  fix: string
}

/** A manifest, and what it is held against. */
export interface World {
  documents: readonly Document[]
  makers: readonly PodMaker[]
  workloads: readonly Workload[]
  /** What a replica takes from its config file, where neither flag nor variable says it. */
  config: Config
  /** That the jobs name; empty: it is not known. */
  queues: readonly string[]
  /** Others that there are. */
  seen: readonly string[]
}

export interface Rule {
  expected: string
  check: (world: World) => Iterable<Complaint>
}

export const error = ({ object }: { object: string }, actual: string, fix: string): Complaint => ({
  object,
  level: 'error',
  actual,
  fix,
})

export const warning = ({ object }: { object: string }, actual: string, fix: string): Complaint => ({
  object,
  level: 'warning',
  actual,
  fix,
})
