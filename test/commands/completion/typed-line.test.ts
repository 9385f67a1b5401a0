import { expect, test } from 'vitest'
import { splitLine } from '../../../src/commands/completion/typed-line.ts'

test.each([
  ['', [], ''],
  ['runner', [], 'runner'],
  ['runner ', ['runner'], ''],
  ['runner  enqueue  he', ['runner', 'enqueue'], 'he'],
  ['a --data \'{"id": 7}\' x', ['a', '--data', '{"id": 7}'], 'x'],
  ['a "b \\" \\n $x" c', ['a', 'b " \\n $x'], 'c'],
  ['a b\\ c d', ['a', 'b c'], 'd'],
  [`a b'c d'"e f"g h`, ['a', 'bc de fg'], 'h'],
  ["a '' b", ['a', ''], 'b'],
  ["a 'b c", ['a'], 'b c'],
  ['a "b c', ['a'], 'b c'],
  ['a b\\', ['a'], 'b\\'],
  ['a "b\\', ['a'], 'b\\'],
  ['--redis redis://:x@h:1/2 --q', ['--redis', 'redis://:x@h:1/2'], '--q'],
  ['a $(b c)', ['a', '$(b'], 'c)'],
])('%j', (line, words, last) => {
  expect(splitLine(line)).toEqual({ words, last })
})
