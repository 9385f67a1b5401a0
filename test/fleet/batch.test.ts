import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Outbox, splitBatch } from '../../src/fleet/batch.ts'

it('sends what was pushed in one turn as one batch, and gives it back as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.json(), { minLength: 1 }), async records => {
      const batches: string[] = []
      const outbox = new Outbox(batch => batches.push(batch))
      for (const one of records) outbox.push(one)
      expect(batches).toEqual([])
      await turn()
      expect(batches).toHaveLength(1)
      expect(splitBatch(batches[0] as string)).toEqual(records)
    }),
    { numRuns: 50 },
  )
})

it('keeps records apart when one contains the separator raw, which no JSON does', () => {
  const batches: string[] = []
  const outbox = new Outbox(batch => batches.push(batch))
  outbox.push('bro\x1eken')
  outbox.push('fine')
  outbox.flush()
  outbox.flush()
  expect(batches.map(splitBatch)).toEqual([['bro ken', 'fine']])
})
