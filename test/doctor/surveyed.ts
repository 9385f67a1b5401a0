/** A survey of a real Redis, as the doctor makes it, and what makes states to be surveyed. */
import { Queue } from 'bullmq'
import { resolveConfig } from '../../src/config.ts'
import type { Finding } from '../../src/doctor/finding.ts'
import { surveyOf, type Survey } from '../../src/doctor/survey.ts'
import { Replicas, type Replica } from '../../src/redis/replicas.ts'
import type { TestRedis } from '../helpers/redis.ts'
import { replicaEntry } from '../helpers/replica-entry.ts'

export interface Ward {
  survey(files?: string[], prefix?: string): Promise<Survey>
  queue(name: string, prefix?: string): Queue
  /** Publishes one that lives for 15 s, whether there is a process or not. */
  replica(own: Partial<Replica>, prefix?: string): Promise<void>
}

export async function ward(redis: TestRedis): Promise<Ward> {
  const client = redis.client()
  await client.client('SETNAME', 'runner:doctor')
  const config = await resolveConfig({ cwd: '/nonexistent', env: {}, flags: {} })
  return {
    survey: (files = [], prefix = 'bull') => surveyOf({ client, config, prefix, files, only: undefined }),
    queue: (name, prefix = 'bull') => new Queue(name, { connection: client, prefix }),
    replica: (own, prefix = 'bull') => new Replicas(client, prefix).publish(replicaEntry(own)),
  }
}

/** What is told of one queue, without what is well. */
export const complaints = (findings: readonly Finding[], queue: string | null): Omit<Finding, 'queue'>[] =>
  findings
    .filter(finding => finding.queue === queue && finding.level !== 'ok')
    .map(({ check, level, expected, actual, fix }) => ({ check, level, expected, actual, fix }))
