import { writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Line } from '../../../src/commands/enqueue/lines.ts'
import { readLines } from '../../../src/commands/enqueue/lines.ts'
import { readPayload } from '../../../src/commands/enqueue/payload-input.ts'
import { project } from '../../helpers/project.ts'

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = []
  for await (const item of items) list.push(item)
  return list
}

const MIB = 1024 * 1024

async function read(stdin: string | string[]) {
  const input = await readPayload('-', [], Readable.from([stdin].flat().map(text => Buffer.from(text))))
  if ('one' in input) return input
  const lines: Line[] = await all(input.many)
  return { many: lines.map(({ number, text, cut }) => `${number}: ${cut ? 'cut' : text}`) }
}

describe('stdin', () => {
  test.each([
    ['{"a":1}', { one: { a: 1 } }],
    ['{"a":1}\n', { one: { a: 1 } }],
    ['\n\n{\n  "a": [\n    1\n  ]\n}\n\n', { one: { a: [1] } }],
    ['"text"', { one: 'text' }],
    ['\uFEFF{"a":1}', { one: { a: 1 } }],
    ['\uFEFF{"a":1}\n{"a":2}', { many: ['1: {"a":1}', '2: {"a":2}'] }],
    ['{"a":1}\n{"a":2}', { many: ['1: {"a":1}', '2: {"a":2}'] }],
    ['{"a":1}\r\n\r\n{"a":2}\r\n', { many: ['1: {"a":1}\r', '3: {"a":2}\r'] }],
    ['{"a":1}\nnonsense', { many: ['1: {"a":1}', '2: nonsense'] }],
    ['nonsense\n{"a":2}', { many: ['1: nonsense', '2: {"a":2}'] }],
  ])('%j', async (text, expected) => {
    expect(await read(text)).toEqual(expected)
  })

  test.each([
    ['', '--data: stdin is not JSON: it is empty'],
    ['  \n ', '--data: stdin is not JSON: it is empty'],
    ['{"a":', /^--data: stdin is not JSON: .*, got "\{\\"a\\":"$/],
    ['{\n "a": 1,\n}', /^--data: stdin is not JSON: /],
  ])('refuses %j', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(message) as string,
    })
  })

  test('shows nothing of what is not JSON when fields are redacted: it may hold one', async () => {
    const stdin = Readable.from([Buffer.from('{"password":hunter2}')])
    await expect(readPayload('-', ['password'], stdin)).rejects.toMatchObject({
      message: '--data: stdin is not JSON: it is not shown, since it may hold a redacted field',
    })
  })

  test('a document that is larger than a payload may be is refused without reading on for ever', async () => {
    await expect(read('x'.repeat(3 * MIB))).rejects.toMatchObject({
      message: '--data: stdin is longer than a payload may be (1048576 bytes)',
    })
  })

  test('many lines are NDJSON though the first is bad, once one document is out of the question', async () => {
    const lines = Array.from({ length: 3 }, () => JSON.stringify('x'.repeat(MIB / 2)))
    const input = await read(['bad\n', lines.join('\n')])
    expect('many' in input && input.many).toHaveLength(4)
  })
})

describe('--data', () => {
  test('JSON as it is', async () => {
    expect(await readPayload('{"a":1}')).toEqual({ one: { a: 1 } })
    expect(await readPayload('null')).toEqual({ one: null })
  })

  test('@file', async () => {
    using dir = project({ 'payload.json': '{\n"a": 1\n}' })
    expect(await readPayload(`@${dir.path('payload.json')}`)).toEqual({ one: { a: 1 } })
    await expect(readPayload('@nope.json')).rejects.toMatchObject({
      code: 'USAGE',
      message: '--data: file nope.json does not exist',
    })
  })

  test('a file name without @ is noticed', async () => {
    using dir = project()
    const file = dir.path('payload.json')
    writeFileSync(file, '{}')
    await expect(readPayload(file)).rejects.toMatchObject({
      code: 'USAGE',
      hint: `to read that file: --data @${file}`,
    })
  })
})

describe('readLines', () => {
  const lines = (chunks: Buffer[], limit = 1000) => all(readLines(Readable.from(chunks), limit))

  test('puts together lines and characters that chunks cut apart', async () => {
    const bytes = Buffer.from('aé\nb€c\n')
    const chunks = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))
    expect((await lines(chunks)).map(line => line.text)).toEqual(['aé', 'b€c'])
  })

  test('holds only the beginning of a line that is too long, and goes on with the next', async () => {
    const chunks = [Buffer.from('x'.repeat(700)), Buffer.from('x'.repeat(700)), Buffer.from('\nnext')]
    expect(await lines(chunks)).toEqual([
      { number: 1, text: 'x'.repeat(1000), cut: true },
      { number: 2, text: 'next', cut: false },
    ])
  })

  test('reads no faster than lines are taken', async () => {
    let produced = 0
    const stream = new Readable({
      highWaterMark: 1,
      read() {
        produced++
        this.push(`${produced}\n`)
      },
    })
    const iterator = readLines(stream, 100)
    await iterator.next()
    await iterator.next()
    expect(produced).toBeLessThan(20)
    await iterator.return(undefined)
    expect(stream.destroyed).toBe(true)
  })
})
