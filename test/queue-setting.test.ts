import { expect, it } from 'vitest'
import { queueNameOf, readQueue } from '../src/queue-setting.ts'

it('reads the own concurrency of a queue', () => {
  expect(readQueue('mail:20', 5)).toEqual(['mail', 20])
  expect(readQueue('mail', 5)).toEqual(['mail', 5])
  for (const bad of ['', ':3', 'mail:', 'mail:0', 'mail:x', 'a:b:1']) {
    expect(() => readQueue(bad, 5)).toThrow(JSON.stringify(bad))
  }
})

it('knows the name by itself', () => {
  expect(['mail:20', 'mail'].map(queueNameOf)).toEqual(['mail', 'mail'])
})
