import { expect, it } from 'vitest'
import { migration } from '../../src/migration/definition.ts'
import { keyset } from '../../src/migration/keyset.ts'

const source = keyset('users', { key: 'id' })
const batch = () => {}

it.each([
  [{ source }, 'option batch or each: there is none, so nothing would be done'],
  [{ source, batch, each: batch }, 'option batch and each: expected one of them'],
  [{ batch }, 'option source: expected keyset(), csv(), pages(), once()'],
  [{ source, batch, shards: 0 }, 'option shards: '],
  [{ source, batch, shard: 4 }, 'unknown option shard'],
  [{ source, batch, effects: 'outside' }, 'option effects: '],
  [{ source, batch, throttle: ['busy'] }, 'option throttle.0: expected maxLag(), query() or http()'],
  [{ source, batch, on: { success: batch } }, 'unknown option on.success'],
  [{ source, batch, slice: 'soon' }, 'option slice: '],
  [
    { source, batch, orm: {}, effects: 'external' },
    `option orm: with effects: 'external' there is no transaction`,
  ],
])('refuses %j', (options, message) => {
  expect(() => migration(options as never)).toThrow(
    expect.objectContaining({
      code: 'JOB_OPTION_INVALID',
      message: expect.stringContaining(message) as string,
    }),
  )
})

it('knows what was meant', () => {
  expect(() => migration({ source, batch, shrads: 4 } as never)).toThrow(
    expect.objectContaining({ hint: 'did you mean shards?' }),
  )
})
