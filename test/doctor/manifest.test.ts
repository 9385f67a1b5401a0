/** A manifest against a real Redis: what replicas measured, what they weigh, what waits, and how many may connect. */
import { stringify } from 'yaml'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { readDocuments } from '../../src/deploy/documents.ts'
import { connectionsOf } from '../../src/doctor/connections.ts'
import type { Finding } from '../../src/doctor/finding.ts'
import { manifestFindings } from '../../src/doctor/manifest.ts'
import { Measured } from '../../src/redis/measured.ts'
import { Histogram } from '../../src/observe/histogram.ts'
import { rendered, REPOSITORY } from '../deploy/rendered.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { runner } from '../helpers/runner.ts'
import { complaints, ward, type Ward } from './surveyed.ts'

const QUEUES = ['default', 'mail', 'migrations', 'web']
const MIB = 1024 ** 2

let redis: TestRedis
let sick: Ward
let manifest: string
beforeAll(async () => {
  redis = await startRedis()
  sick = await ward(redis)
  const objects = await rendered('prod')
  manifest = objects.map(object => stringify(object)).join('---\n')
})
afterAll(() => redis.stop())
afterEach(() => redis.flush())

async function findings(text = manifest): Promise<Finding[]> {
  const documents = readDocuments(text, 'prod.yaml')
  return manifestFindings(await sick.survey(), { documents, queues: QUEUES })
}

/** What replicas measured of runs, in milliseconds. */
async function measured(queue: string, ...runs: number[]): Promise<void> {
  const histogram = new Histogram()
  runs.forEach(ms => histogram.record(ms))
  const counts = histogram.pending.map(([bucket, count]) => ({ metric: 'run' as const, bucket, count }))
  await new Measured(redis.client(), 'bull').add(queue, counts)
}

it('is well of our own, with an answer for each rule', async () => {
  const all = await findings()
  expect(all.filter(({ level }) => level !== 'ok')).toEqual([])
  expect(all.map(({ check }) => check)).toEqual(
    expect.arrayContaining(['termination', 'probes', 'selectors', 'security', 'connections']),
  )
})

it('tells what a rule finds, with the object', async () => {
  const wrong = manifest.replaceAll('terminationGracePeriodSeconds: 45', 'terminationGracePeriodSeconds: 20')
  expect(complaints(await findings(wrong), null)).toEqual([
    {
      check: 'termination',
      level: 'error',
      expected: 'the grace of the replica, 10s and 5s',
      actual: expect.stringMatching(/^Deployment\/runner-io: terminationGracePeriodSeconds 20: /) as string,
      fix: 'terminationGracePeriodSeconds: 45',
    },
  ])
})

it('holds the grace against what runs take', async () => {
  await measured('mail', 1_000, 2_000, 55_000)
  await measured('web', 1_000)
  const all = await findings()
  expect(complaints(all, 'mail')).toEqual([
    {
      check: 'pod grace',
      level: 'warning',
      // The buckets of a histogram are coarse, and never too small.
      expected: '55.1s: 99.9% of runs',
      actual: 'Deployment/runner-io: 30s: longer runs begin again each time a pod stops',
      fix: '--grace 56s, and terminationGracePeriodSeconds: 71',
    },
  ])
  expect(complaints(all, 'web')).toEqual([])
})

it('holds the locks of live replicas against the time until a restart', async () => {
  const locks = { mail: { lockDuration: 90_000, stalledInterval: 45_000 } }
  const terms = { maxStalledCount: 3, grace: 25_000, blockLimit: false, abortGrace: 1_000, locks } as const
  await sick.replica({ queues: { mail: 20 }, terms })
  expect(complaints(await findings(), 'mail')).toEqual([
    {
      check: 'pod liveness',
      level: 'error',
      expected: 'more than the lock of 1.5m',
      actual: 'Deployment/runner-io: restarted after 1.3m, while its locks hold',
      fix: 'a larger failureThreshold of the livenessProbe',
    },
  ])
})

it('holds the memory of live replicas against the limit', async () => {
  await sick.replica({ id: 'a', queues: { mail: 20 }, rss: 300 * MIB })
  await sick.replica({ id: 'b', queues: { default: 10 }, rss: 1_000 * MIB })
  expect(complaints(await findings(), null)).toEqual([
    expect.objectContaining({
      check: 'pod memory',
      level: 'error',
      expected: 'at most 80% of 1024 MiB',
      actual: expect.stringMatching(/^Deployment\/runner-default: 98%: a live replica /) as string,
    }),
  ])
})

it('finds jobs that wait in a queue of no workload', async () => {
  await sick.queue('invoices').add('send', {})
  await sick.queue('mail').add('send-email', {})
  expect(complaints(await findings(), 'invoices')).toEqual([
    {
      check: 'queues',
      level: 'error',
      expected: 'a workload of the manifest',
      actual: 'none, and 1 wait in it',
      fix: '--queue invoices',
    },
  ])
  expect(complaints(await findings(), 'mail')).toEqual([])
  await sick.replica({ queues: { invoices: 1 } })
  expect(complaints(await findings(), 'invoices')).toMatchObject([{ check: 'queues', level: 'warning' }])
})

it('holds the connections of all replicas against maxclients', async () => {
  const client = redis.client()
  await client.config('SET', 'maxclients', '345')
  try {
    // 13 pods of 7, 25 and 5 of 8 and 7, beside what is connected now.
    const [told, ...others] = complaints(await findings(), null)
    expect(others).toEqual([])
    expect(told).toMatchObject({
      check: 'connections',
      level: 'error',
      expected: 'at most 80% of 345 clients',
    })
    expect(told?.actual).toMatch(
      /^9\d%: at their most the workloads have 326 connections; when all are taken/,
    )
  } finally {
    await client.config('SET', 'maxclients', '10000')
  }
})

it('counts the connections that a replica has, by runner doctor as a person calls it', async () => {
  await using replica = await Replica.start({ redis, args: ['--queue', 'fleet', '--queue', 'mail'] })
  expect(replica.pid).toBeGreaterThan(0)
  const client = redis.client()
  await vi.waitFor(
    async () => {
      const named = [...((await client.client('LIST')) as string).matchAll(/ name=(\S+)/g)].map(
        ([, name]) => name,
      )
      // All but the doctor of the survey; one more is only there while handlers add flows.
      const own = named.filter(name => name !== 'runner:doctor')
      expect(own).toHaveLength(connectionsOf(2) - 1)
    },
    { interval: 100 },
  )
  const args = ['doctor', '--redis', redis.url, '--manifest', '-', '--json']
  const broken = manifest.replace('/livez', '/live')
  const ended = await runner(args, { cwd: REPOSITORY, stdin: broken })
  expect(ended.code).toBe(1)
  expect(JSON.parse(ended.stdout)).toContainEqual(
    expect.objectContaining({
      check: 'probes',
      level: 'error',
      actual: 'Deployment/runner-serve: livenessProbe asks /live',
      fix: 'path: /livez',
    }),
  )
})

it('refuses a file that is not there', async () => {
  const args = ['doctor', '--redis', redis.url, '--manifest', 'nothing.yaml']
  const ended = await runner(args, { cwd: REPOSITORY })
  expect(ended).toMatchObject({ code: 2, stdout: '' })
  expect(ended.stderr).toMatch(/^error: --manifest: ENOENT.*nothing\.yaml/)
})
