import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { bar, barDisplay, jsonDisplay } from '../../../src/commands/enqueue/follow-display.ts'

test.each([
  [{ done: 0, total: 10 }, 0, `${'░'.repeat(24)}    0%  0/10`],
  [
    { done: 5, total: 10, note: 'half' },
    1234.4,
    `${'█'.repeat(12)}${'░'.repeat(12)}   50%  5/10  1,234/s  half`,
  ],
  [{ done: 50_000, total: 50_000 }, 0, `${'█'.repeat(24)}  100%  50,000/50,000`],
  [{ done: 12, total: 10 }, 0, `${'█'.repeat(24)}  100%  12/10`],
  [{ done: 7 }, 3, '7  3/s'],
  [{ done: 7, total: 0 }, 0, '7'],
])('bar of %j', (progress, rate, expected) => {
  expect(bar({ event: 'progress', ...progress }, rate)).toBe(expected)
})

test('the bar shows the rate since the first progress, and log lines above it', async () => {
  const screen = Object.assign(new PassThrough(), { columns: 100, rows: 30 })
  const written = text(screen)
  let now = 0
  const display = barDisplay(screen as never, () => now)
  display.show({ event: 'active', attempt: 2 })
  display.show({ event: 'progress', done: 100, total: 1000 })
  now = 2000
  display.show({ event: 'log', line: 'a line of the log' })
  display.show({ event: 'progress', done: 500, total: 1000 })
  display.end()
  screen.end()
  const lines = stripVTControlCharacters(await written).split('\n')
  expect(lines).toContain('attempt 2 runs')
  expect(lines).toContain('a line of the log')
  expect(lines.at(-2)).toContain('50%  500/1,000  200/s')
})

test('without a terminal, one JSON event a line', async () => {
  const stream = new PassThrough()
  const display = jsonDisplay(stream)
  display.show({ event: 'progress', done: 1, total: 2, note: 'x' })
  display.show({ event: 'completed', result: null })
  display.end()
  stream.end()
  expect(await text(stream)).toBe(
    '{"event":"progress","done":1,"total":2,"note":"x"}\n{"event":"completed","result":null}\n',
  )
})
