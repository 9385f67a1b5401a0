/** Which uploads are received now, as the dashboard shows them. */
import { expect, it } from 'vitest'
import { UploadSlots } from '../../../src/gateway/upload/slots.ts'

it('has each upload from its first byte to its end, with what has come of it', () => {
  const slots = new UploadSlots({ concurrent: 8 })
  const [ann, bob] = [slots.take({ name: 'ann' }, 1_000), slots.take({ name: 'bob' }, undefined)]
  ann.grow(400)
  ann.grow(100)
  bob.grow(7)
  expect(slots.running).toMatchObject([
    { id: '1', token: 'ann', bytes: 500 },
    { id: '2', token: 'bob', bytes: 7 },
  ])
  expect(Math.abs((slots.running[0]?.since ?? 0) - Date.now())).toBeLessThan(60_000)
  ann.release()
  ann.release()
  expect(slots.running.map(({ id }) => id)).toEqual(['2'])
  expect({ active: slots.active, received: slots.received }).toEqual({ active: 1, received: 507 })
})
