/** docs/uploads.md says of each reason what it means, and with which status it is told. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Refusal } from '../../../src/gateway/upload/refusal.ts'
import { UPLOAD_REFUSALS } from '../../../src/observe/events.ts'

it('is documented, each reason with its status', () => {
  const page = readFileSync(new URL('../../../docs/uploads.md', import.meta.url), 'utf8')
  const [, table = ''] = page.split('## Answers')
  const rows = [...table.matchAll(/^\| `(\w+)` \| (\d+) \| .{10,} \|$/gm)].map(([, reason, status]) => [
    reason,
    status,
  ])
  expect(rows).toEqual(UPLOAD_REFUSALS.map(reason => [reason, String(new Refusal(reason, '').status)]))
})
