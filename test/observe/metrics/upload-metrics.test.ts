/** Uploads in series: what came of each, and why those that were refused were. */
import { Registry } from '@prometheus-io/client'
import { expect, it } from 'vitest'
import { uploadMetrics } from '../../../src/observe/metrics/upload-metrics.ts'
import { form, upload, type FormPart } from '../../helpers/multipart.ts'
import { hasPromtool, promtool } from '../../helpers/promtool.ts'
import { UploadDesk } from '../../helpers/upload-desk.ts'

const CSV: FormPart = { name: 'users', fileName: 'users.csv', content: 'id\n1\n' }

it('counts uploads by their outcome, those refused by reason, and bytes of all of them', async () => {
  await using desk = await UploadDesk.open()
  const registry = new Registry()
  uploadMetrics(registry, desk.events, desk.slots)
  const before = await registry.metrics()
  // Each series is there before its first event: else nobody could tell a rate.
  expect(before).toContain('runner_uploads_total{outcome="stored"} 0\n')
  expect(before).toContain('runner_uploads_rejected_total{reason="client_gone"} 0\n')
  const good = form([CSV])
  const twice = form([CSV, CSV])
  await upload(desk.url, good)
  await upload(desk.url, good)
  await upload(desk.url, twice)
  await upload(desk.url, good, { headers: { 'content-encoding': 'gzip' } })
  await desk.received[0]!.discard()
  const after = await registry.metrics()
  const valueOf = (series: string) => Number(new RegExp(`^${series} (.*)$`, 'm').exec(after)?.[1])
  expect(valueOf('runner_uploads_total{outcome="stored"}')).toBe(2)
  expect(valueOf('runner_uploads_total{outcome="discarded"}')).toBe(1)
  expect(valueOf('runner_uploads_total{outcome="refused"}')).toBe(2)
  expect(valueOf('runner_uploads_rejected_total{reason="field"}')).toBe(1)
  expect(valueOf('runner_uploads_rejected_total{reason="encoding"}')).toBe(1)
  expect(valueOf('runner_uploads_active')).toBe(0)
  // Of what was refused by its headers, nothing was read.
  expect(valueOf('runner_upload_bytes_total')).toBe(2 * good.length + twice.length)
  // The name of a token is in no series.
  expect(after).not.toContain('tests')
  if (hasPromtool) expect(promtool(['check', 'metrics'], after)).toEqual({ code: 0, said: '' })
})
