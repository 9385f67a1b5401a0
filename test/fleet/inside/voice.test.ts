import { expect, it } from 'vitest'
import { Run } from '../../../src/fleet/inside/run.ts'
import { Voice } from '../../../src/fleet/inside/voice.ts'
import { readRecord } from '../../../src/fleet/protocol.ts'

it('rejects a call whose arguments are not JSON, asks nobody, and goes on', async () => {
  const said: string[] = []
  const voice = new Voice(
    text => said.push(text),
    { level: 'silent', redact: [] },
    {
      payload: async () => '{}',
      flow: async () => ({ name: 'act', payload: '{}', options: {}, children: [] }),
    },
  )
  const run = new Run([1, 'act', '1', 'default', 1, 1], {})
  await expect(voice.call(run, 'updateData', [1n])).rejects.toThrow(/BigInt/)
  expect(said).toEqual([])
  const answer = voice.call(run, 'log', ['row'])
  const { head, body } = readRecord(said[0] as string)
  // The refused call used no number up: nobody will ever answer it.
  expect([JSON.parse(head), body]).toEqual([[1, 1, 'log'], '["row"]'])
  voice.answer(1, null, '5')
  await expect(answer).resolves.toBe(5)
})
